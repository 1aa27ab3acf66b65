"""Azure Pipelines: pipelines as they stand once templates, parameters and `${{ }}` expressions are worked in.

Resource types and what their values hold beside the keys of the files:

pipeline    `variables` name to value as written, `groups` of variables, `trigger` and `pr` as written, `triggers`
            {pull_request, push}; `template` whether the file is a template that nothing here calls
repository  of `resources`: `pin` of its `ref` (tag, ref, none); `templates` whether templates are taken from it
job         `id`, `kind` (job, deployment), `stage`, `pipeline`, `pool` as a mapping, `self_hosted`, `vm_image`,
            `environment` as a mapping with its `name`, `deploys`, `production`, `container` as written, `variables`,
            `timeout_minutes`, `security` whether its name is a scanner's; `steps` with all that is told below
step        `kind` (script, bash, powershell, pwsh, task, checkout, publish, download ...), `task` {name, version},
            `inputs` by lower-case names, `script` and `shell` whatever runs it, `commands` in it where that shell is a
            POSIX one, as `policy_engine.shell` describes them; `uses` of macros, parameters and variables:
            {kind, name, flows, path, bounded, secret}; `security`; `job`, `pipeline`
image       a container of `resources`, of a job or of its services: `image` taken apart, `options`, `role`

A file that another one here uses as a template is judged through that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from policy_engine.check import Check, Context, Doubt, Violation
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.linked_format import LinkedFormat

if TYPE_CHECKING:
    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit


class AzurePipelinesFormat(LinkedFormat):
    name = "azure-pipelines"
    title = "Azure Pipelines"
    resource_types = ("pipeline", "repository", "job", "step", "image")
    example_path = "azure-pipelines.yml"

    def claims(self, path: str) -> bool:
        return path.endswith((".yml", ".yaml")) and "/.github/" not in f"/{path}"

    def knows_by_name(self, path: str) -> bool:
        return is_pipeline_name(path)

    def recognises(self, path: str, data: bytes) -> bool:
        if is_pipeline_name(path):
            return True
        # Most YAML files leave here: they have none of these keys at the top.
        lines = b"\n" + data.replace(b"\r", b"\n")
        if not any(key in lines for key in (b"\nsteps:", b"\njobs:", b"\nstages:", b"\nextends:")):
            return False
        from policy_engine_plugins.azure_pipelines.recognition import is_pipeline

        return is_pipeline(data)

    def links(self, path: str, tree: Tree, known: Sequence[str]) -> Sequence[str]:
        """The templates that it uses."""
        from policy_engine_plugins.azure_pipelines.grouping import used_by

        return used_by(path, tree)

    def reads_beyond(self, unit: Unit, tree: Tree) -> bool:
        """Templates may lie anywhere in the repository; one that is not there yet may turn up."""
        from policy_engine_plugins.azure_pipelines.grouping import uses_templates

        return uses_templates(unit, tree)

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.azure_pipelines.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine.yaml_document import comments

        return comments(data, path)


def is_pipeline_name(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(("azure-pipelines", "azure-pipeline.")) or name.endswith(".azure-pipelines.yml")


def pipeline_uses(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from policy_engine_plugins.azure_pipelines.checks import pipeline_uses

    return pipeline_uses(value, parameters)


def untrusted_evaluated(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from policy_engine_plugins.azure_pipelines.checks import untrusted_evaluated

    return untrusted_evaluated(value)


def untrusted_set(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from policy_engine_plugins.azure_pipelines.checks import untrusted_set

    return untrusted_set(value)


@hookimpl
def register_formats() -> list[Format]:
    return [AzurePipelinesFormat()]


@hookimpl
def register_checks() -> list[Check]:
    listed = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    return [
        Check(
            "azure-pipeline-uses",
            pipeline_uses,
            {
                "type": "object",
                "properties": {
                    "in": {**listed, "description": "attributes looked at; `*` stands for any characters"},
                    "what": {"enum": ["authored", "pushed", "secret", "parameter"]},
                },
                "required": ["in", "what"],
                "additionalProperties": False,
            },
            "no macro or expression puts in what the author of a change or of a branch writes, a secret, or a free"
            " parameter",
        ),
        Check(
            "azure-pipeline-untrusted-evaluated",
            untrusted_evaluated,
            {"type": "object", "additionalProperties": False},
            "no command runs, as a program, a variable that the author of a change writes: a branch, a message",
        ),
        Check(
            "azure-pipeline-untrusted-set",
            untrusted_set,
            {"type": "object", "additionalProperties": False},
            "no command sets a variable of later steps to what the author of a change writes",
        ),
    ]
