"""Kinds of secrets, and what each opens."""

from __future__ import annotations

from msgspec import Struct


class Kind(Struct, frozen=True):
    """`name` is part of addresses and stays as it is; `title` is what people call it."""

    name: str
    title: str
    group: str


def _kinds(group: str, **titles: str) -> dict[str, Kind]:
    return {name: Kind(name, title, group) for name, title in ((k.replace("_", "-"), t) for k, t in titles.items())}


KINDS: dict[str, Kind] = {
    **_kinds(
        "cloud",
        aws_access_key_id="AWS access key",
        aws_secret_access_key="AWS secret access key",  # noqa: S106 - titles, here and below
        azure_storage_key="Azure storage account key",
        azure_shared_access_signature="Azure shared access signature",
        azure_client_secret="Azure client secret",  # noqa: S106
        google_api_key="Google API key",
        google_oauth_secret="Google OAuth client secret",  # noqa: S106
        google_service_account_key="key of a Google service account",
        digitalocean_token="DigitalOcean token",  # noqa: S106
        databricks_token="Databricks token",  # noqa: S106
    ),
    **_kinds(
        "source-host",
        github_token="GitHub token",  # noqa: S106
        gitlab_token="GitLab token",  # noqa: S106
        azure_devops_token="Azure DevOps token",  # noqa: S106
        atlassian_token="Atlassian token",  # noqa: S106
    ),
    **_kinds(
        "registry",
        npm_token="npm token",  # noqa: S106
        pypi_token="PyPI token",  # noqa: S106
        artifactory_token="Artifactory token",  # noqa: S106
        registry_login="login of a container registry",
        npmrc_credential="credential of a package registry",
        pypirc_password="password of a package index",  # noqa: S106
    ),
    **_kinds("key", private_key="private key", age_key="age identity"),
    **_kinds(
        "database",
        database_url="database URL with its password",
        connection_string="connection string with its password",
    ),
    **_kinds(
        "url",
        url_password="password in a URL",  # noqa: S106
        netrc_password="password in a .netrc file",  # noqa: S106
        basic_authorization="basic authorization header",
    ),
    **_kinds(
        "chat",
        slack_token="Slack token",  # noqa: S106
        slack_webhook="Slack webhook",
        discord_token="Discord bot token",  # noqa: S106
        discord_webhook="Discord webhook",
        teams_webhook="Microsoft Teams webhook",
        telegram_token="Telegram bot token",  # noqa: S106
    ),
    **_kinds(
        "payment",
        stripe_key="Stripe key",
        stripe_webhook_secret="signing secret of a Stripe webhook",  # noqa: S106
        square_token="Square token",  # noqa: S106
        shopify_token="Shopify token",  # noqa: S106
    ),
    **_kinds(
        "mail",
        sendgrid_key="SendGrid key",
        mailgun_key="Mailgun key",
        mailchimp_key="Mailchimp key",
        twilio_key="Twilio key",
    ),
    **_kinds(
        "ai",
        openai_key="OpenAI key",
        anthropic_key="Anthropic key",
        huggingface_token="Hugging Face token",  # noqa: S106
    ),
    **_kinds(
        "store",
        vault_token="Vault token",  # noqa: S106
        terraform_cloud_token="HCP Terraform token",  # noqa: S106
        doppler_token="Doppler token",  # noqa: S106
    ),
    **_kinds(
        "monitoring",
        datadog_key="Datadog key",
        new_relic_key="New Relic key",
        grafana_token="Grafana token",  # noqa: S106
    ),
    **_kinds("session", json_web_token="JSON web token"),  # noqa: S106
    **_kinds("password", password="password", generic_key="key or token"),  # noqa: S106
}
