"""GitHub Actions: workflows and action metadata.

Resource types and what their values hold beside the keys of the file:

workflow  `on` as a mapping whatever its form; `token`; `expressions`
job       `id`; `workflow` (the whole one); `token` (its own permissions or the workflow's); `runner` (labels);
          `call` (of a reusable workflow); `expressions` (those outside its steps); `steps` with all that is told below
step      `job`, `workflow` (absent in a composite action); `index`; `composite`; `action` (what `uses` names);
          `expressions`
image     of a job's container or service: `image` taken apart, `job`, `workflow`, `expressions`, and its own keys
action    metadata of an action: `image` where it runs in one, `expressions`

`token` is {declared, write}: `write` lists the scopes with write access, `*` for all; it is unknown where nothing
is declared, as the repository's settings then decide. `action`, `call` and `image` are what `reference.py` makes of
them. `expressions` lists every `${{ }}`: {name, path, text, contexts, flows}, where `flows` are the contexts whose text
reaches the result (a comparison with a title does not carry the title on).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.check import Check, Context, Doubt, Violation
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit


class GithubFormat(Format):
    name = "github"
    title = "GitHub Actions"
    resource_types = ("workflow", "job", "step", "image", "action")
    example_path = ".github/workflows/example.yml"

    def claims(self, path: str) -> bool:
        if not path.endswith((".yml", ".yaml")):
            return False
        folder, _, name = path.rpartition("/")
        return folder == ".github/workflows" or folder.endswith("/.github/workflows") or name in ACTION_FILES

    def recognises(self, path: str, data: bytes) -> bool:
        return path.rpartition("/")[2] not in ACTION_FILES or path.endswith(WORKFLOW_FILES) or b"runs" in data

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.github.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine.yaml_document import comments

        return comments(data, path)


ACTION_FILES = ("action.yml", "action.yaml")
WORKFLOW_FILES = tuple(f".github/workflows/{name}" for name in ACTION_FILES)

_PLACES = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "description": "attribute paths in which expressions are looked at; `*` stands for any characters",
}
_CONTEXTS = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "description": "contexts such as secrets.*; `*` stands for any characters",
}


def untrusted_input(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from policy_engine_plugins.github.checks import untrusted_input

    return untrusted_input(value, parameters)


def expression_uses(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from policy_engine_plugins.github.checks import expression_uses

    return expression_uses(value, parameters)


@hookimpl
def register_formats() -> list[Format]:
    return [GithubFormat()]


@hookimpl
def register_checks() -> list[Check]:
    return [
        Check(
            "github-untrusted-input",
            untrusted_input,
            {
                "type": "object",
                "properties": {"in": _PLACES, "also": _CONTEXTS, "except": _CONTEXTS},
                "required": ["in"],
                "additionalProperties": False,
            },
            "no expression there carries text that a stranger writes: titles, bodies, branch names, commit messages",
        ),
        Check(
            "github-expression-uses",
            expression_uses,
            {
                "type": "object",
                "properties": {
                    "in": _PLACES,
                    "contexts": _CONTEXTS,
                    "flows": {"type": "boolean", "description": "only where the context's text reaches the result"},
                },
                "required": ["in", "contexts"],
                "additionalProperties": False,
            },
            "no expression there uses one of these contexts",
        ),
    ]
