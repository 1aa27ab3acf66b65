"""Kingfisher's detectors, in this process and without the network: the long tail of vendors.

Loaded only for files that hold something like a generated secret. Its compiled rules are kept in the user's cache.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from policy_engine.cache import user_cache
from policy_engine.deadline import not_counted
from policy_engine_plugins.secrets.found import FORM, Found
from policy_engine_plugins.secrets.kind import Kind
from policy_engine_plugins.secrets.placeholder import is_example, is_reference, made_up

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

TIMEOUT_S = 10.0
# Judged by our own detectors, which verify more or err less; and what is no secret by itself.
_LEFT_OUT = re.compile(
    r"(?:aws-access-token|aws-secret-access-key|aws-session-token|azure-ad-client-secret|azure-storage-account-key|"
    r"gcp-api-key|gcp-gemini-api|gcp-service-account|github-.*|gitlab-pat.*|npm-access-token|npmjsaccesstoken|pypi-.*|"
    r"private-key|jwt|jwt-base64|generic-credential-uri|kubernetes-secret-yaml|mongodb-connection-string|"
    r"curl-auth-user|curl-auth-header|slack-webhook-url|stripe-access-token|telegram-bot-api-token|"
    r"sidekiq-sensitive-url|age-secret-key|hashicorp-tf-password|nuget-config-password|.*-pub-.*|.*-public-.*|"
    r".*client-id|.*-account-id.*|mapbox-api-token|sentry-access-token|algolia-api-key|segment-public.*|"
    r"posthog-project-api-key|gitlab-incoming-mail-.*|redirect-pizza.*|devcycle-client-sdk-key|jfrog-url|.*-url\.?\d?)$"
)
_GROUPS = (
    (
        "ai",
        "anthropic|openai|huggingface|cohere|mistral|groq|grok|xai|perplexity|deepseek|replicate|cerebras|elevenlabs|"
        "together|openrouter|stability|pinecone|langchain|langfuse|weights-and|voyage|upstage|kimi|minimax|nvidia|"
        "ollama|llama|fal|deepgram|assemblyai|cursor|devin|runpod|mem0|zai|lighton|cartesia|retell|vercel-ai",
    ),
    (
        "cloud",
        "aws|azure|gcp|google|alibaba|digitalocean|cloudflare|ibm|heroku|ovh|yandex|scaleway|vultr|civo|exoscale|"
        "flyio|render|netlify|vercel|upcloud|hcp|databricks|snowflake|scalingo|infomaniak|openshift|tailscale|fastly|"
        "defined-networking|supabase|planetscale|neon|confluent|aiven|cockroach|clickhouse|couchbase|datastax|elastic|"
        "influxdb|mongodb|temporal|upstash",
    ),
    (
        "source-host",
        "github|gitlab|bitbucket|gitea|sourcegraph|codecatalyst|codecommit|circleci|travisci|droneci|buildkite|"
        "bitrise|codecov|coveralls|sonar|snyk|atlassian|linear|mergify|octopus|harness|scalr|endorlabs|aikido",
    ),
    ("registry", "npm|pypi|rubygems|crates|nuget|clojars|artifactory|cloudsmith|docker|packagist|deno"),
    ("chat", "slack|discord|telegram|microsoft-teams|mattermost|gitter|lark|zoho"),
    (
        "payment",
        "stripe|square|shopify|paypal|plaid|razorpay|checkout|gocardless|flutterwave|paddle|coinbase|kraken|kucoin|"
        "bittrex|mercury|highnote|rainforest|xendit|midtrans|asaas|woocommerce|ramp|polymarket|polar|finicity",
    ),
    (
        "mail",
        "sendgrid|mailgun|mailchimp|mailersend|postmark|twilio|sendinblue|resend|messagebird|plivo|telnyx|klaviyo|"
        "onesignal|sendbird|nylas|instantly|intercom|zendesk|hubspot|salesforce",
    ),
    ("store", "vault|hashicorp|doppler|1password|bitwarden|infisical|pulumi|okta|auth0|clerk|workos|jumpcloud|age-"),
    (
        "monitoring",
        "datadog|new-relic|grafana|sentry|honeycomb|dynatrace|sumologic|pagerduty|opsgenie|launchdarkly|rootly|"
        "fullstory|amplitude|wiz|virustotal|abuseipdb|configcat",
    ),
)


class Missing(Exception):
    """The library is not installed here."""


@cache
def _scanner() -> Scanner:
    try:
        from kingfisher_sdk import Rules, Scanner
    except ImportError:
        raise Missing from None
    folder = user_cache()
    # Compiling its rules takes seconds, where they are not in the cache yet.
    with not_counted():
        if folder is None:
            return Scanner(Rules(cache=False), base64=False)
        return Scanner(Rules(cache_dir=os.path.join(folder, "kingfisher")), base64=False)


def known(text: str) -> Iterator[Found]:
    """What the library finds. Raises Missing."""
    data = text.encode("utf-8", "surrogatepass")
    for each in _scanner().scan(data, timeout=TIMEOUT_S):
        name = _name(each.rule_id)
        if not each.visible or _LEFT_OUT.match(name):
            continue
        start, end = _place(data, text, each.location)
        value = text[start:end]
        doubt = made_up(value)
        if (doubt is True and not is_example(value)) or is_reference(value) or len(value) < 8:
            continue
        yield Found(kind_of(name), start, end, FORM, value, doubt)


def _name(rule_id: str) -> str:
    """The rule's name without its source and its number: `betterleaks.okta-access-token.1`."""
    source = "/" if "/" in rule_id else "."
    return re.sub(r"\.\d+$", "", rule_id.partition(source)[2])


def kind_of(name: str) -> Kind:
    group = next((group for group, names in _GROUPS if re.match(rf"(?:{names})", name)), "service")
    return Kind(name, name.replace("-", " "), group)


def _place(data: bytes, text: str, location: Any) -> tuple[int, int]:
    start, end = location["start_offset"], location["end_offset"]
    if len(data) == len(text):
        return start, end
    before = len(data[:start].decode("utf-8", "replace"))
    return before, before + len(data[start:end].decode("utf-8", "replace"))
