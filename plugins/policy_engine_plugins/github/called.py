"""Actions and workflows of the same repository that a file calls, and which of their inputs end up in a script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy_engine.errors import PolicyEngineError
from policy_engine.resource import Resource
from policy_engine.tree import Tree, join
from policy_engine.unknown import Unknown

MAX_DEPTH = 10
"""GitHub allows nine levels of composite actions below a workflow."""
MAX_FILES = 200
"""Files that one workflow may reach."""

SCRIPTS = (
    "run",
    "with.script",
    "with.script-inline",
    "with.inlinescript",
    "with.inline-script",
    "with.run",
    "with.command",
    "with.commands",
    "with.cmd",
    "with.install-command",
    "with.build-command",
    "with.test-command",
)
"""Where a step holds code: `run`, and the inputs that actions run as code by convention (actions/github-script,
azure/cli, nick-fields/retry, appleboy/ssh-action, addnab/docker-run-action and their like)."""

_LOCAL_USES = re.compile(rb"""\buses["']?\s*:\s*["']?([.$]/[^\s"'#,}]*)""")


def root_of(path: str) -> str:
    """The repository's root, as far as a file's own path tells it: the folder above `.github`."""
    head, github, _ = f"/{path}".rpartition("/.github/")
    return head.strip("/") if github else ""


def target(tree: Tree, root: str, uses: str) -> str | None:
    """The file that a local `uses` names; None where there is none in the tree."""
    path = join(root, uses[2:] if uses[:2] == "$/" else uses)
    if path is None:
        return None
    if path.endswith((".yml", ".yaml")):
        return path if tree.is_file(path) else None
    for name in ("action.yml", "action.yaml"):
        candidate = f"{path}/{name}" if path else name
        if tree.is_file(candidate):
            return candidate
    return None


def reached(tree: Tree, path: str) -> list[str]:
    """Every file of the tree that `path` calls, directly or through others, without itself. For grouping files into
    units only: it looks for the calls in the text, and so may find more than there are."""
    root = root_of(path)
    found: dict[str, None] = {path: None}
    pending = [path]
    while pending and len(found) < MAX_FILES:
        try:
            data = tree.read(pending.pop())
        except (OSError, PolicyEngineError):
            continue
        for match in _LOCAL_USES.finditer(data):
            called = target(tree, root, match[1].decode("utf-8", "replace"))
            if called is not None and called not in found and len(found) < MAX_FILES:
                found[called] = None
                pending.append(called)
    del found[path]
    return sorted(found)


class Callees:
    """What local `uses` of one unit come to. Each file is read once; a circle ends where it closes."""

    def __init__(self, tree: Tree, path: str) -> None:
        self._tree = tree
        self._root = root_of(path)
        self._known: dict[str, dict[str, Any] | Unknown] = {}
        self._open: set[str] = {path}

    def describe(self, uses: str) -> dict[str, Any] | Unknown:
        """{path, scripts}: `scripts` maps those inputs that become part of a script to where that happens."""
        path = target(self._tree, self._root, uses)
        if path is None:
            return Unknown(f"'{uses}' is not in the scanned folder")
        if path in self._open:
            return {"path": path, "scripts": {}}
        if path not in self._known:
            if len(self._open) > MAX_DEPTH or len(self._known) > MAX_FILES:
                return Unknown(f"'{uses}' is called through too many others")
            self._open.add(path)
            self._known[path] = self._read(path)
            self._open.discard(path)
        return self._known[path]

    def _read(self, path: str) -> dict[str, Any] | Unknown:
        from policy_engine_plugins.github.load import read_file

        try:
            loaded = read_file(self._tree, path, self)
        except (OSError, PolicyEngineError):
            return Unknown(f"{path} cannot be read")
        scripts: dict[str, str] = {}
        for resource in loaded.resources:
            if resource.type in ("step", "job"):
                for name, number in _inputs_in_scripts(resource):
                    place = resource.locate(("expressions", number)).location
                    scripts.setdefault(name, f"{place.path}:{place.span.start_line}")
        return {"path": path, "scripts": scripts}


def _inputs_in_scripts(resource: Resource) -> Iterator[tuple[str, int]]:
    """Inputs of the file that reach code in this step, or a script further down; each with its expression's number."""
    value = resource.value
    callee = value.get("callee")
    further: Mapping[str, str] = callee["scripts"] if isinstance(callee, dict) else {}
    carried = _carried(value)
    for number, expression in enumerate(value.get("expressions", ())):
        path = expression["path"].lower()
        if path not in SCRIPTS and not (path.startswith("with.") and path.removeprefix("with.") in further):
            continue
        for context in expression["flows"]:
            for name in carried.get(context, (context,)):
                if name.startswith("inputs."):
                    yield name.removeprefix("inputs."), number


def _carried(value: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Variables of the environment (`env.title`), each with the contexts that it holds."""
    found: dict[str, Sequence[str]] = {}
    for scope in (value.get("workflow", {}), value.get("job", {}), value):
        for expression in scope.get("expressions", ()):
            if expression["path"].startswith("env."):
                found[expression["path"].lower()] = expression["flows"]
    return found
