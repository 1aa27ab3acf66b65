"""GitHub Actions: workflows and action metadata.

Resource types and what their values hold beside the keys of the file:

workflow  `on` as a mapping whatever its form; `token`; `grants`; `expressions`; `jobs` as told below
job       `id`; `workflow` (the whole one); `token` (its own permissions or the workflow's); `grants` (its own);
          `runner` (labels); `call` (of a reusable workflow); `callee`; `expressions` (those outside its steps);
          `steps` with all that is told below; `publishes`, `uses_git_token` and `uploads_workspace`, as
          `job_facts.py` tells them
step      `job`, `workflow` (absent in a composite action); `index`; `composite`; `action` (what `uses` names);
          `callee`; `upload` (of an artefact: {paths, hidden}); `commands` and `writes` of a shell script, as
          `policy_engine.shell` and `script.py` describe them; `siblings` (steps beside it by id);
          `followed_by_code`; `expressions`
image     of a job's container or service: `image` taken apart, `job`, `workflow`, `expressions`, and its own keys
action    metadata of an action: `image` where it runs in one, `runs` with its steps, `expressions`

`token` is {declared, write}: `write` lists the scopes with write access, `*` for all; it is unknown where nothing
is declared, as the repository's settings then decide. `grants` lists {name, level, explained} of a `permissions`
mapping. `action`, `call` and `image` are what `reference.py` makes of them; `callee` is what `called.py` finds behind a
local one. `expressions` lists every `${{ }}`: {name, path, text, contexts, flows, parsed, traits}, where `flows` are
the contexts whose text reaches the result (a comparison with a title does not carry the title on), `parsed` those that
`fromJSON` takes apart, and `traits` what `traits.py` finds odd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
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

    def knows_by_name(self, path: str) -> bool:
        return path.rpartition("/")[2] not in ACTION_FILES

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """Each file alone, together with the local actions and workflows that it calls: what it hands them is judged by
        what they do with it. They are units of their own, too."""
        from policy_engine_plugins.github.called import reached

        for path in paths:
            others = reached(tree, path)
            yield Unit(self.name, path, tuple(sorted((path, *others))))

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
    "description": "attribute paths in which expressions are looked at; `*` stands for any characters; left out: those"
    " that hold code",
}
_CONTEXTS = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "description": "contexts such as secrets.*; `*` stands for any characters",
}


_NAMES = {"type": "array", "items": {"type": "string"}, "minItems": 1}


@cache
def _resolve(function: str) -> Callable[[Any, Mapping[str, Any]], Any]:
    from importlib import import_module

    module, _, attribute = function.partition(".")
    call: Callable[[Any, Mapping[str, Any]], Any] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return call


def _check(name: str, function: str, properties: Mapping[str, Any], required: Sequence[str], description: str) -> Check:
    """A check whose code, `module.function` of this package, is imported when a rule first calls it."""

    def late(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
        found: Iterator[Violation | Doubt] = _resolve(function)(value, parameters)
        return found

    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Check(name, late, parameters, description)


@hookimpl
def register_formats() -> list[Format]:
    return [GithubFormat()]


@hookimpl
def register_checks() -> list[Check]:
    table = {"type": "object", "minProperties": 1}
    strangers = {"also": _CONTEXTS, "except": _CONTEXTS}
    return [
        _check(
            "github-untrusted-input",
            "checks.untrusted_input",
            {"in": _PLACES, **strangers, "outputs": {**table, "description": "outputs of actions that hold such text"}},
            [],
            "no expression there carries text that a stranger writes: titles, bodies, branch names, commit messages",
        ),
        _check(
            "github-untrusted-argument",
            "checks.untrusted_argument",
            strangers,
            [],
            "no such text is handed to a local action or workflow that makes it part of a script",
        ),
        _check(
            "github-expression-uses",
            "checks.expression_uses",
            {
                "in": _PLACES,
                "contexts": _CONTEXTS,
                "except": _CONTEXTS,
                "flows": {"type": "boolean", "description": "only where the context's text reaches the result"},
                "parsed": {"type": "boolean", "description": "only where fromJSON takes the context's text apart"},
            },
            ["contexts"],
            "no expression there uses one of these contexts",
        ),
        _check(
            "github-text-inputs",
            "checks.text_inputs",
            {"in": _PLACES},
            [],
            "no expression there carries an input of the workflow that may be any text",
        ),
        _check(
            "github-restores-cache",
            "job_checks.restores_cache",
            {"caches": table},
            ["caches"],
            "the step restores no cache",
        ),
        _check(
            "github-foreign-artifact",
            "job_checks.foreign_artifact",
            {"downloads": _NAMES, "elsewhere": table},
            ["downloads"],
            "no other run's artefact is unpacked into the workspace",
        ),
        _check(
            "github-stranger-code-run",
            "job_checks.stranger_code_run",
            {"contexts": _CONTEXTS},
            ["contexts"],
            "no local action is used behind a checkout of these contexts",
        ),
        _check(
            "github-literal-input",
            "job_checks.literal_input",
            {"inputs": _NAMES},
            ["inputs"],
            "no input of these names holds its text as it stands in the file",
        ),
        _check(
            "github-input-given",
            "job_checks.input_given",
            {"prefix": {"type": "string", "minLength": 1}},
            ["prefix"],
            "an input is given whose name begins so",
        ),
        _check(
            "github-unused-write",
            "job_checks.unused_write",
            {"needs": table},
            ["needs"],
            "some step can use each write access of the job",
        ),
        _check(
            "github-lookalike",
            "job_checks.lookalike",
            {"known": _NAMES},
            ["known"],
            "the action's name is not one slip away from a well-known one",
        ),
        _check(
            "github-printed",
            "script_checks.printed",
            {"contexts": _CONTEXTS, "except": _CONTEXTS},
            ["contexts"],
            "no command prints a variable that holds one of these contexts",
        ),
        _check(
            "github-untrusted-evaluated",
            "script_checks.evaluated",
            strangers,
            [],
            "no command runs a variable's text as a program where a stranger writes it",
        ),
        _check(
            "github-environment-file",
            "script_checks.environment_file",
            {"files": _NAMES, "any": {"type": "boolean"}, **strangers},
            ["files"],
            "no command writes a stranger's text into the environment of later steps",
        ),
        _check(
            "github-fetches-stranger",
            "script_checks.fetches_stranger",
            {"contexts": _CONTEXTS},
            ["contexts"],
            "no command checks out the code of a pull request",
        ),
        _check(
            "github-publishes-with-token",
            "publishing.publishes_with_token",
            {},
            [],
            "no package is published with a token from the repository's secrets",
        ),
    ]
