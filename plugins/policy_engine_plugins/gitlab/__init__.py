"""GitLab CI/CD: pipelines as they stand once includes, inputs, `extends`, `!reference` and defaults are worked in.

Resource types and what their values hold beside the keys of the files:

pipeline  `variables` name to value as written; `jobs` all jobs by name; `open` whether files that are not here define
          more of it
include   `kind` local, project, remote, template, component or artifact; `pin` commit, version, digest, ref, none or
          local; `child` whether it is run as a pipeline of its own; `encrypted` for a remote one
job       its keys with `extends`, `!reference`, `default` and global keywords worked in; `id`; `pipeline` but its jobs;
          `script` and its neighbours as flat lists; `variables` as written for the job, `environment_variables` all
          that it sees; `environment` as a mapping with `action` and `tier`; `deploys`; `production`; `starts`: whether
          it starts by itself `on_branch` (a push to an arbitrary, unprotected branch) and `on_merge_request`;
          `manual`; `timeout_minutes`; `services` as a list of mappings; `security` whether its name is a scanner's
script    of a job's `before_script`, `script`, `after_script` or hooks: `lines`, `section`, `job`, `pipeline`;
          `commands` in them, as `policy_engine.shell` describes them; `inputs` what `$[[ inputs.x ]]` puts into them
          where the file is read on its own
image     of a job or of its services: `image` taken apart, `role`, `job`, `pipeline`, and its own keys

Hidden jobs are judged through the jobs that extend them, included files through the file that includes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from policy_engine.check import Check, Judge, deferred
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.linked_format import LinkedFormat

if TYPE_CHECKING:
    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit

NAMES = (".gitlab-ci.yml", ".gitlab-ci.yaml")


class GitlabFormat(LinkedFormat):
    name = "gitlab"
    title = "GitLab CI"
    resource_types = ("pipeline", "include", "job", "script", "image")
    example_path = ".gitlab-ci.yml"

    def claims(self, path: str) -> bool:
        return path.endswith((".yml", ".yaml")) and "/.github/" not in f"/{path}"

    def knows_by_name(self, path: str) -> bool:
        return path.endswith(NAMES) or "/.gitlab/ci/" in f"/{path}"

    def recognises(self, path: str, data: bytes) -> bool:
        if self.knows_by_name(path):
            return True
        # Most YAML files leave here: a job has a script, extends another or starts a pipeline.
        if b"script:" not in data and b"extends:" not in data and b"trigger:" not in data:
            return False
        from policy_engine_plugins.gitlab.recognition import is_pipeline

        return is_pipeline(path, data)

    def links(self, path: str, tree: Tree, known: Sequence[str]) -> Sequence[str]:
        from policy_engine_plugins.gitlab.grouping import local_includes

        return local_includes(path, tree, known)

    def stands_for_itself(self, path: str) -> bool:
        """A project's own pipeline does, whoever includes it."""
        return path.rpartition("/")[2] in NAMES

    def reads_beyond(self, unit: Unit, tree: Tree) -> bool:
        """Included files may lie anywhere in the project; a file that is not there yet may turn up."""
        from policy_engine_plugins.gitlab.grouping import includes_locally

        return includes_locally(unit, tree)

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.gitlab.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine.yaml_document import comments

        return comments(data, path)


@deferred
def untrusted_evaluated() -> Judge:
    from policy_engine_plugins.gitlab.checks import untrusted_evaluated

    return untrusted_evaluated


@deferred
def dotenv_report() -> Judge:
    from policy_engine_plugins.gitlab.checks import dotenv_report

    return dotenv_report


@hookimpl
def register_formats() -> list[Format]:
    return [GitlabFormat()]


@hookimpl
def register_checks() -> list[Check]:
    return [
        Check(
            "gitlab-untrusted-evaluated",
            untrusted_evaluated,
            {"type": "object", "additionalProperties": False},
            "no command runs, as a program, a text that the author of a change writes: a branch, a title, a message",
        ),
        Check(
            "gitlab-dotenv-report",
            dotenv_report,
            {
                "type": "object",
                "properties": {"what": {"enum": ["authored", "secret"]}},
                "required": ["what"],
                "additionalProperties": False,
            },
            "no command writes a secret, or lines that the author of a change writes, into a dotenv report",
        ),
    ]
