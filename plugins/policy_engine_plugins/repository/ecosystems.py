"""Which package managers a project uses, where, and whether anything looks for their updates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unknown import Unknown
from policy_engine_plugins.repository.dependabot import Watch, watches
from policy_engine_plugins.repository.names import DEPENDABOT, RENOVATE, is_aside, is_requirements
from policy_engine_plugins.repository.places import resource

# Dependabot's name of an ecosystem: the names of others that look after it too, and Renovate's managers.
ALSO = {"bun": ("npm",), "uv": ("pip",), "pip": ("uv",), "docker-compose": ("docker",), "opentofu": ("terraform",)}
MANAGERS: Mapping[str, tuple[str, ...]] = {
    "npm": ("npm",),
    "bun": ("bun", "npm"),
    "pip": ("pip_requirements", "pip_setup", "pipenv", "poetry", "pep621", "pip-compile", "setup-cfg"),
    "uv": ("pep621",),
    "gomod": ("gomod",),
    "cargo": ("cargo",),
    "bundler": ("bundler",),
    "composer": ("composer",),
    "nuget": ("nuget",),
    "maven": ("maven",),
    "gradle": ("gradle",),
    "docker": ("dockerfile",),
    "docker-compose": ("docker-compose",),
    "github-actions": ("github-actions",),
    "terraform": ("terraform",),
    "helm": ("helmv3", "helm-requirements"),
    "gitsubmodule": ("git-submodules",),
    "pub": ("pub",),
    "mix": ("mix",),
    "swift": ("swift",),
    "elm": ("elm",),
    "devcontainers": ("devcontainer",),
}
# A watched folder of these takes what lies below it along, where that has no lock file of its own.
_WITH_MEMBERS = frozenset({"npm", "bun", "uv", "cargo", "maven", "gradle", "nuget", "pub", "composer", "devcontainers"})
_MEMBER_LOCKS = (
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "uv.lock",
    "Cargo.lock",
    "composer.lock",
)
# Renovate turns these on only when it is asked to.
_ASKED_FOR = frozenset({"git-submodules"})
# Of `config:recommended`, by way of `:ignoreModulesAndTests`; files there count as aside in any case.
_SHOWN = 3

_BY_NAME = {
    "package.json": "npm",
    "go.mod": "gomod",
    "cargo.toml": "cargo",
    "gemfile": "bundler",
    "composer.json": "composer",
    "pom.xml": "maven",
    "build.gradle": "gradle",
    "build.gradle.kts": "gradle",
    "pipfile": "pip",
    "setup.py": "pip",
    "uv.lock": "uv",
    "poetry.lock": "pip",
    "pubspec.yaml": "pub",
    "mix.exs": "mix",
    "package.swift": "swift",
    "elm.json": "elm",
    "chart.lock": "helm",
    "packages.config": "nuget",
    "directory.packages.props": "nuget",
    ".gitmodules": "gitsubmodule",
    "devcontainer.json": "devcontainers",
    ".devcontainer.json": "devcontainers",
}
_COMPOSE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$")
_DOCKERFILE = re.compile(r"(?:dockerfile|containerfile)(?:\.[\w.-]+)?$|[\w.-]+\.(?:dockerfile|containerfile)$")


class Use(Struct, frozen=True):
    """An ecosystem in a folder, by the manifest that shows it."""

    ecosystem: str
    folder: str
    manifest: str


def uses(project: Project, tree: Tree) -> list[Use]:
    """Without what lies with tests, examples, documentation or other people's code."""
    found: dict[tuple[str, str], str] = {}
    for path in project.paths:
        folder, _, name = path.rpartition("/")
        ecosystem = _ecosystem(folder, name, path)
        if ecosystem is None or is_aside(path) or not _has_dependencies(ecosystem, path, name, tree):
            continue
        if ecosystem == "github-actions":
            folder = ""
        found.setdefault((ecosystem, folder), path)
    # A folder that uv or Bun keeps the lock file of is theirs alone.
    for narrow, wide in (("uv", "pip"), ("bun", "npm")):
        for ecosystem, folder in list(found):
            if ecosystem == narrow:
                found.pop((wide, folder), None)
    return [Use(ecosystem, folder, path) for (ecosystem, folder), path in sorted(found.items())]


def _ecosystem(folder: str, name: str, path: str) -> str | None:
    lower = name.lower()
    known = _BY_NAME.get(lower)
    if known is not None:
        if known == "gitsubmodule" and folder:
            return None
        return known
    if lower in ("bun.lock", "bun.lockb"):
        return "bun"
    if lower.endswith((".yml", ".yaml")):
        if folder == ".github/workflows" or (lower in ("action.yml", "action.yaml") and not folder):
            return "github-actions"
        return "docker-compose" if _COMPOSE.match(lower) else None
    if lower.endswith((".csproj", ".fsproj", ".vbproj")):
        return "nuget"
    if is_requirements(lower) and lower.endswith(".txt"):
        return "pip"
    if lower == "pyproject.toml":
        return "pip"
    return "docker" if _DOCKERFILE.match(lower) else None


def _has_dependencies(ecosystem: str, path: str, name: str, tree: Tree) -> bool:
    """Whether the manifest asks for anything: a pyproject.toml that sets up a linter does not."""
    wanted: Sequence[bytes]
    if name.lower() == "pyproject.toml":
        wanted = (b"dependencies", b"requires")
    elif ecosystem == "npm":
        wanted = (b"ependencies",)
    elif ecosystem == "gomod":
        wanted = (b"require",)
    elif ecosystem == "cargo":
        wanted = (b"dependencies",)
    elif ecosystem == "composer":
        wanted = (b'"require',)
    elif ecosystem == "maven":
        wanted = (b"<dependency>", b"<parent>", b"<plugin>")
    elif ecosystem == "devcontainers":
        wanted = (b"features",)
    else:
        return True
    try:
        data = tree.read(path)
    except (OSError, FileTooLarge):
        return True
    return any(each in data for each in wanted)


def terraform_uses(project: Project, tree: Tree) -> Iterator[Use]:
    """Folders whose Terraform files ask for providers or modules by version."""
    folders: dict[str, list[str]] = {}
    locks = {path for path in project.paths if path.endswith(".terraform.lock.hcl")}
    for path in project.paths:
        if path.endswith((".tf", ".tofu")):
            folders.setdefault(path.rpartition("/")[0], []).append(path)
    for folder, paths in sorted(folders.items()):
        if is_aside(paths[0]):
            continue
        names = {path.rpartition("/")[2]: path for path in paths}
        lock = f"{folder}/.terraform.lock.hcl" if folder else ".terraform.lock.hcl"
        for name in ("versions.tf", "providers.tf", "terraform.tf", "main.tf", "provider.tf", "version.tf"):
            if name in names and _mentions(names[name], tree, b"required_providers", b" source "):
                yield Use("terraform", folder, names[name])
                break
        else:
            if lock in locks:
                yield Use("terraform", folder, paths[0])


def _mentions(path: str, tree: Tree, *wanted: bytes) -> bool:
    try:
        data = tree.read(path)
    except (OSError, FileTooLarge):
        return False
    return any(each in data for each in wanted)


class Updates(Struct, frozen=True):
    """What looks for updates: the names of the tools, and a function that says so of a use: true, false or unknown."""

    tools: tuple[str, ...]
    watched: Callable[[Use], bool | Unknown]


def updates(project: Project, tree: Tree) -> Updates:
    there = set(project.paths)
    tools: list[str] = []
    asked: list[Watch] = []
    for path in DEPENDABOT:
        if path in there:
            tools.append("Dependabot")
            asked.extend(_dependabot(path, tree))
    renovate = _renovate(there, tree)
    if renovate is not None:
        tools.append("Renovate")

    def watched(use: Use) -> bool | Unknown:
        if any(_looks_after(each, use, there) for each in asked):
            return True
        return _renovates(renovate, use) if renovate is not None else False

    return Updates(tuple(dict.fromkeys(tools)), watched)


def _dependabot(path: str, tree: Tree) -> list[Watch]:
    from policy_engine.yaml_document import parse_yaml

    try:
        parsed = parse_yaml(tree.read(path), path)
    except (OSError, FileTooLarge):
        return []
    return watches(parsed.documents[0].value) if parsed.documents else []


def _renovate(there: set[str], tree: Tree) -> dict[str, Any] | None:
    from policy_engine_plugins.repository.json_document import parse_json

    for path in (*RENOVATE, "package.json"):
        if path not in there:
            continue
        try:
            document, _ = parse_json(tree.read(path), path)
        except (OSError, FileTooLarge):
            continue
        if document is None:
            if path != "package.json":
                return {}
            continue
        value: Any = document.value
        if path == "package.json":
            value = value.get("renovate") if isinstance(value, dict) else None
        if isinstance(value, dict):
            return value
    return None


def _looks_after(watch: Watch, use: Use, there: set[str]) -> bool:
    if watch.ecosystem != use.ecosystem and watch.ecosystem not in ALSO.get(use.ecosystem, ()):
        return False
    if use.ecosystem in ("github-actions", "gitsubmodule"):
        return True
    folder = use.folder
    if use.ecosystem == "devcontainers":
        folder = folder.removesuffix(".devcontainer").strip("/")
    if any(_is_folder(each, folder) for each in watch.folders):
        return True
    if use.ecosystem not in _WITH_MEMBERS:
        return False
    own = {f"{use.folder}/{name}" if use.folder else name for name in _MEMBER_LOCKS}
    if own & there:
        return False
    return any(not each or folder.startswith(f"{each}/") for each in watch.folders if "*" not in each)


def _is_folder(pattern: str, folder: str) -> bool:
    """Whether a `directory` or one of the globs under `directories` names the folder."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == folder
    from policy_engine_plugins.repository.codeowners import glob_part

    parts, names = pattern.split("/"), folder.split("/") if folder else []
    if parts[-1] == "**" or (len(parts) > 1 and parts[-2:] == ["**", "*"]) or pattern == "**/*":
        parts = [each for each in parts if each != "**"]
        if parts and parts[-1] == "*":
            parts.pop()
        return names[: len(parts)] == parts or (
            len(names) >= len(parts) and all(glob_part(part, name) for part, name in zip(parts, names, strict=False))
        )
    if "**" in parts:
        head, tail = parts[: parts.index("**")], parts[parts.index("**") + 1 :]
        return (
            len(names) >= len(head) + len(tail)
            and all(glob_part(part, name) for part, name in zip(head, names, strict=False))
            and all(glob_part(part, name) for part, name in zip(tail[::-1], names[::-1], strict=False))
        )
    return len(parts) == len(names) and all(glob_part(part, name) for part, name in zip(parts, names, strict=True))


def _renovates(value: Mapping[str, Any], use: Use) -> bool | Unknown:
    from policy_engine_plugins.repository.renovate import extends, foreign_preset

    preset = foreign_preset(value)
    if value.get("enabled") is False:
        return False
    managers = MANAGERS.get(use.ecosystem, (use.ecosystem,))
    chosen = value.get("enabledManagers")
    if isinstance(chosen, list):
        if not any(manager in chosen for manager in managers):
            return False
    elif all(manager in _ASKED_FOR for manager in managers):
        own = value.get(managers[0])
        if isinstance(own, dict) and own.get("enabled") is True:
            return True
        if extends(value, ":enableGitSubmodules"):
            return True
        return False if preset is None else Unknown(f"the preset '{preset}' stands elsewhere")
    if any(isinstance(value.get(manager), dict) and value[manager].get("enabled") is False for manager in managers):
        return False
    for each in value.get("ignorePaths") or ():
        if isinstance(each, str) and _ignores(each, use.manifest):
            return False
    return True if preset is None else Unknown(f"the preset '{preset}' stands elsewhere")


def _ignores(pattern: str, path: str) -> bool:
    """Whether an entry of `ignorePaths`, a glob or the beginning of a path, leaves a file out."""
    plain = pattern.removeprefix("**/").removesuffix("/**").strip("/")
    if "*" in plain or "?" in plain:
        return False
    return f"/{path}/".startswith(f"/{plain}/") or (pattern.startswith("**/") and f"/{plain}/" in f"/{path}")


def of_project(project: Project, tree: Tree) -> tuple[list[Resource], list[str], tuple[str, ...]]:
    """A resource for each ecosystem; their names; and the tools that look for updates."""
    looked = updates(project, tree)
    by_ecosystem: dict[str, list[Use]] = {}
    for use in (*uses(project, tree), *terraform_uses(project, tree)):
        by_ecosystem.setdefault(use.ecosystem, []).append(use)
    resources = [_resource(name, found, looked) for name, found in sorted(by_ecosystem.items())]
    return resources, sorted(by_ecosystem), looked.tools


def _resource(name: str, found: Sequence[Use], looked: Updates) -> Resource:
    answers = [(use, looked.watched(use)) for use in found]
    missed = [use for use, answer in answers if answer is False]
    doubts = [answer for _, answer in answers if isinstance(answer, Unknown)]
    watched: bool | Unknown = False if missed else doubts[0] if doubts else True
    first = missed[0] if missed else found[0]
    value = {
        "ecosystem": name,
        "watched": watched,
        "configured": bool(looked.tools),
        "unwatched": [use.manifest for use in missed],
        "folders": [use.folder for use in found],
    }
    shown = f"{name} ({_places(missed or found)})"
    return resource("ecosystem", f"ecosystem/{name}", shown, value, first.manifest, WHOLE_FILE)


def _places(found: Iterable[Use]) -> str:
    paths = [use.manifest for use in found]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
