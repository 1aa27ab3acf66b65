"""Settings of repositories and organisations on GitHub, read through its REST API or from a saved snapshot.

Resource types, and what their values hold (an attribute that could not be read is an Unknown that says what to grant):

repository            `full_name`, `owner`, `visibility`, `private`, `fork`, `default_branch`, `allow_forking`,
                      `web_commit_signoff_required`; switches `secret_scanning`, `secret_push_protection`,
                      `security_updates`, `vulnerability_alerts`, `private_vulnerability_reporting`,
                      `immutable_releases`, `code_scanning`; what is open: `secret_alerts`, `vulnerabilities` and
                      `code_alerts` by severity; `codeowners` {present, errors}; `tags` {update_blocked,
                      deletion_blocked}; `runners`: self-hosted ones
archived_repository   one that nobody can change; it is told and not judged
branch                the default branch as protection and rulesets take effect together: `protected`,
                      `pull_request_required`, `approvals`, `code_owner_review`, `stale_reviews_dismissed`,
                      `last_push_approved`, `threads_resolved`, `status_checks` (names), `up_to_date`, `signatures`,
                      `linear_history`, `force_push_blocked`, `deletion_blocked`; `bypass`: who may pass the review by;
                      `code_owners_named`: whether there is a file of them
ruleset               of a repository or an organisation (`level`): `target`, `enforcement`, `rules` (by type),
                      `bypass_actors`
actions               what workflows may use: `enabled`, `allowed_actions`, `patterns_allowed`, `sha_pinning_required`;
                      `default_workflow_permissions`, `can_approve_pull_request_reviews`; `fork_approval`,
                      `fork_private`; `repository` (visibility and the like) or `organization`
environment           `reviewers`, `prevent_self_review`, `wait_timer`, `branch_policy`
webhook               `active`, `events`, `scheme`, `host`, `secret`, `insecure_ssl`
deploy_key            `title`, `read_only`, `last_used`
collaborator          an outside one: `login`, `role`
organization          the organisation's own settings by the names of the API; `members_without_two_factor`,
                      `outside_without_two_factor`, `new_repositories` (what is switched on for them)
runner_group          `visibility`, `allows_public_repositories`, `restricted_to_workflows`
installation          an app: `repository_selection`, `permissions`, `suspended`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.host import Host, HostOption, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from policy_engine.host import Tell
    from policy_engine.tree import Tree
    from policy_engine.unit import Loaded, Unit

SUFFIX = ".github-snapshot.json"


class GithubSettingsFormat(Format):
    name = "github-settings"
    title = "GitHub settings"
    resource_types = (
        *("repository", "archived_repository", "branch", "ruleset", "actions", "environment", "webhook", "deploy_key"),
        *("collaborator", "organization", "runner_group", "installation"),
    )
    example_path = f"settings{SUFFIX}"

    def claims(self, path: str) -> bool:
        return path.endswith(SUFFIX)

    def knows_by_name(self, path: str) -> bool:
        return True

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.github_host.load import load

        return load(unit, tree)


class GithubHost(Host):
    name = "github"
    title = "GitHub"
    options = (
        HostOption(
            "github", "read the settings of a repository; the token is that of GH_TOKEN.", "target", "OWNER/REPO"
        ),
        HostOption("github-org", "read an organisation and all its repositories.", "group", "ORG"),
        HostOption("github-workers", "repositories read at once.", "number", "N", 8, 1),
        HostOption("github-max-wait", "seconds to wait in all for rate limits.", "number", "SECONDS", 900),
        HostOption("github-api", "where the API is, if not where GITHUB_API_URL says.", "text", "URL"),
    )

    def open(self, values: Mapping[str, Any], tell: Tell) -> Reader:
        from policy_engine_plugins.github_host.reader import open_reader

        return open_reader(values["github-api"], values["github-workers"], values["github-max-wait"], tell)

    def check(self, kind: str, target: str) -> None:
        from policy_engine_plugins.github_host.target import check

        check(kind, target)

    def place(self, target: str) -> str:
        owner, _, repository = target.partition("/")
        # No owner has a dot in its name, so an organisation's folder is never that of another's repositories.
        return f"{owner}/{repository}/settings{SUFFIX}" if repository else f"{owner}.organisation/settings{SUFFIX}"

    def takes_name(self, path: str) -> bool:
        return path.endswith(SUFFIX)

    def read_at(self, data: bytes, target: str) -> datetime | None:
        from policy_engine_plugins.github_host.snapshot import settled_at

        return settled_at(data, target)


@hookimpl
def register_formats() -> list[Format]:
    return [GithubSettingsFormat()]


@hookimpl
def register_hosts() -> list[Host]:
    return [GithubHost()]
