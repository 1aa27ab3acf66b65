"""How a repository is kept: who owns what, what it depends on and from where, and what should not lie in it.

Resource types, and what their values hold:

repository        the whole: `code_owners`, `security_policy`, `security_contact`, `licence`, `readme`,
                  `dependency_updates`, `secrets_hook` (each absent or what was found); `ecosystems` (a list of names)
codeowners        the file that counts: `unowned` (in words, empty where nothing is), `sensitive` (a list of
                  {name, path, owned}), `host` (`github` or `gitlab`), `ignored` (other such files, which do not count)
codeowners_entry  a line of it: `pattern`, `owners`, `faults` of the pattern, `owner_faults`
codeowners_match  such a line in its project: `matches`, `effective` (what no later line takes over), `takes_away`
ecosystem         a package manager in use: `watched` (whether updates are looked for everywhere), `unwatched` (places)
dependabot        its file: `faults`; dependabot_update: each entry; dependabot_registry: `secrets` written out
renovate          its settings, as far as they are known; renovate_settings: their `faults`
package_manifest  a manifest of an application: `lock` (whether there is a lock file for it), `ecosystem`
package_source    an index or registry that is named anywhere: `url`, `scheme`, `credentials`, `extra`, `ecosystem`
package_index     the same, for what is known in any case: `credentials`, `extra`
package_setting   a switch of a package manager: `name`, `value`, `weakens` (`tls`, `integrity`)
package_secret    a credential in a package manager's settings: `name`, `written` (whether it stands there in full)
package_scripts   scripts that an installation runs: `faults`
dependency        one that is not a plain version from an index: `source`, `fixed`, `hashed`, `requirement`
lock_file         `faults` (over http), `unverified` (without a digest)
build_wrapper     a downloaded build tool: `verified`, `url`
nuget_sources     `sources`, `mapped`
committed_file    a file that should not be there: `kind`, `aside` (lies with tests or examples), `size`
link              a symbolic link: `target`, `outside`
name_collision    names that differ in case alone: `names`
ignored           what .gitignore should leave out: `sensitive` (a list of {name, ignored})
submodule         `url`, `scheme`, `credentials`, `faults`
pre_commit_hook_repository  `repo`, `rev`, `fixed`, `scheme`; pre_commit_hook: a local hook with its `faults`
devcontainer      `image`, `pinned`; devcontainer_features: what else it is given: `loose` (features without a
                  version), `wide` and `socket` (power over the machine), `faults` of its commands
editor_task       `command`, `on_open`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy_engine.check import Check, Context, Doubt, Violation
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.project import Project
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit
from policy_engine_plugins.repository.names import is_claimed

_KNOWN = (
    *("repository", "codeowners", "codeowners_entry", "codeowners_match", "dependabot", "dependabot_update"),
    *(
        "dependabot_registry",
        "renovate_settings",
        "package_manifest",
        "package_index",
        "package_setting",
        "package_secret",
        "package_scripts",
    ),
    *("dependency", "lock_file", "build_wrapper", "nuget_sources", "committed_file", "link", "name_collision"),
    *("ignored", "submodule", "pre_commit_hook_repository", "pre_commit_hook", "editor_task", "devcontainer_features"),
)


class RepositoryFormat(Format):
    name = "repository"
    title = "Repository"
    resource_types = (*_KNOWN, "ecosystem", "renovate", "package_source", "devcontainer")
    known_types = _KNOWN
    example_path = "CODEOWNERS"

    def claims(self, path: str) -> bool:
        return is_claimed(path)

    def recognises(self, path: str, data: bytes) -> bool:
        from policy_engine_plugins.repository.load import recognises

        return recognises(path, data)

    def project_units(self, paths: Sequence[str], project: Project, tree: Tree) -> Iterable[Unit]:
        return [Unit(self.name, ".", tuple(paths), project)]

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.repository.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine_plugins.repository.comments import comments

        return comments(path, data)


def faults(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    """Each fault that the format found is one of its own, at its place and in its words."""
    for each in value.get(parameters["in"], ()):
        yield Violation(tuple(each["at"]), each["text"])


@hookimpl
def register_formats() -> list[Format]:
    return [RepositoryFormat()]


@hookimpl
def register_checks() -> list[Check]:
    return [
        Check(
            "repository-faults",
            faults,
            {
                "type": "object",
                "properties": {"in": {"type": "string", "description": "the attribute that lists the faults"}},
                "required": ["in"],
                "additionalProperties": False,
            },
            "nothing is listed there as wrong",
        )
    ]
