"""Whether what a project is built from is written down: a lock file for each application.

A library leaves its users the choice of versions, so it needs none; what is an application has to show from what lies
beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE, Span
from policy_engine.tree import FileTooLarge, Tree
from policy_engine_plugins.repository.names import is_aside
from policy_engine_plugins.repository.places import resource

_NPM_LOCKS = (
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"),
    ".pnp.cjs",
)
_PYTHON_LOCKS = (
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile.lock",
    "requirements.txt",
    "requirements.lock",
    "pylock.toml",
)
# What lies beside the manifest of something that is run rather than built upon.
_DEPLOYED = (
    "Dockerfile",
    "Containerfile",
    "Procfile",
    "fly.toml",
    "app.yaml",
    "serverless.yml",
    "vercel.json",
    "netlify.toml",
)
_LOCKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "package.json": ("npm", _NPM_LOCKS),
    "Pipfile": ("pip", ("Pipfile.lock",)),
    "pyproject.toml": ("pip", _PYTHON_LOCKS),
    "Gemfile": ("bundler", ("Gemfile.lock", "gems.locked")),
    "go.mod": ("gomod", ("go.sum",)),
    "Cargo.toml": ("cargo", ("Cargo.lock",)),
    "composer.json": ("composer", ("composer.lock",)),
    "Chart.yaml": ("helm", ("Chart.lock", "requirements.lock")),
    "mix.exs": ("mix", ("mix.lock",)),
    "backend.tf": ("terraform", (".terraform.lock.hcl",)),
}
# A lock file further up is that of a workspace, which holds for its members.
_WORKSPACES = ("npm", "cargo", "pip", "gomod", "mix")


class _Project:
    def __init__(self, project: Project, tree: Tree) -> None:
        self.there = set(project.paths)
        self.tree = tree

    def has(self, folder: str, name: str) -> bool:
        return (f"{folder}/{name}" if folder else name) in self.there

    def read(self, path: str) -> bytes:
        try:
            return self.tree.read(path)
        except (OSError, FileTooLarge):
            return b""


def of_project(project: Project, tree: Tree) -> Iterator[Resource]:
    known = _Project(project, tree)
    gemspecs = {path.rpartition("/")[0] for path in project.paths if path.endswith(".gemspec")}
    for path in project.paths:
        folder, _, name = path.rpartition("/")
        entry = _LOCKS.get(name)
        if entry is None or is_aside(path):
            continue
        ecosystem, locks = entry
        if not _is_application(ecosystem, path, folder, known, gemspecs):
            continue
        folders = [folder]
        if ecosystem in _WORKSPACES and ecosystem != "gomod":
            folders = _upwards(folder)
        locked = any(known.has(each, lock) for each in folders for lock in locks)
        value = {"ecosystem": ecosystem, "lock": locked, "expected": locks[0]}
        place: Span = WHOLE_FILE
        yield resource("package_manifest", f"{ecosystem}/manifest/{path}", path, value, path, place)


def _upwards(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]


def _is_application(ecosystem: str, path: str, folder: str, known: _Project, gemspecs: set[str]) -> bool:
    data = known.read(path)
    deployed = any(known.has(folder, each) for each in _DEPLOYED)
    if ecosystem == "npm":
        return _npm(path, data, deployed)
    if ecosystem == "pip":
        return path.endswith("Pipfile") or _python(path, data, deployed)
    if ecosystem == "bundler":
        return folder not in gemspecs
    if ecosystem == "gomod":
        return re.search(rb"(?m)^\s*require\s+(?:\(\s*$|\S+\s+v)", data) is not None
    if ecosystem == "cargo":
        return _cargo(path, folder, data, known)
    if ecosystem == "composer":
        return _composer(path, data)
    if ecosystem == "helm":
        return _helm(path, data)
    if ecosystem == "mix":
        return b"{:" in data
    return True


def _npm(path: str, data: bytes, deployed: bool) -> bool:
    from policy_engine_plugins.repository.json_document import parse_json

    document, _ = parse_json(data, path)
    value: Any = document.value if document is not None else None
    if not isinstance(value, dict):
        return False
    if not any(isinstance(value.get(key), dict) and value[key] for key in ("dependencies", "devDependencies")):
        return False
    asked = [each for key in ("dependencies", "devDependencies") for each in (value.get(key) or {}).values()]
    if all(isinstance(each, str) and each.startswith(("file:", "workspace:", "link:")) for each in asked):
        return False
    if value.get("private") is True or deployed:
        return True
    # What is published says so: a version, and what of it is for others.
    published = "version" in value and any(
        key in value for key in ("main", "exports", "files", "types", "module", "bin")
    )
    return not published and "peerDependencies" not in value


def _python(path: str, data: bytes, deployed: bool) -> bool:
    from policy_engine_plugins.repository.toml_document import parse_toml

    document, _ = parse_toml(data, path)
    value = document.value if document is not None else {}
    tool = value.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    if isinstance(poetry, dict):
        asks = set(poetry.get("dependencies") or ()) - {"python"}
        return bool(asks) and (deployed or poetry.get("package-mode") is False)
    project = value.get("project")
    if not isinstance(project, dict) or not project.get("dependencies"):
        return False
    return deployed


def _cargo(path: str, folder: str, data: bytes, known: _Project) -> bool:
    if b"dependencies" not in data:
        return False
    return (
        b"[[bin]]" in data
        or known.has(folder, "src/main.rs")
        or (b"[workspace]" in data and _has_binary(folder, known))
    )


def _has_binary(folder: str, known: _Project) -> bool:
    prefix = f"{folder}/" if folder else ""
    return any(path.startswith(prefix) and path.endswith("/src/main.rs") for path in known.there)


def _composer(path: str, data: bytes) -> bool:
    from policy_engine_plugins.repository.json_document import parse_json

    document, _ = parse_json(data, path)
    value: Any = document.value if document is not None else None
    if not isinstance(value, dict):
        return False
    asked = {name for name in (value.get("require") or {}) if "/" in name}
    return bool(asked) and (value.get("type") == "project" or ("type" not in value and "name" not in value))


def _helm(path: str, data: bytes) -> bool:
    from policy_engine.yaml_document import parse_yaml

    if b"dependencies" not in data:
        return False
    documents = parse_yaml(data, path).documents
    value: Any = documents[0].value if documents else None
    listed = value.get("dependencies") if isinstance(value, dict) else None
    return any(
        isinstance(each, dict) and not str(each.get("repository", "")).startswith("file:") and each.get("repository")
        for each in (listed if isinstance(listed, list) else [])
    )
