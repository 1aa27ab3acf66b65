"""Where `terraform init` has put the modules that a configuration fetches: `.terraform/modules/modules.json`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from policy_engine.errors import PolicyEngineError
from policy_engine.span import Span
from policy_engine.tree import Tree, join
from policy_engine.unit import Problem

FOLDER = ".terraform"
PATH = f"{FOLDER}/modules/modules.json"
_REGISTRIES = ("registry.terraform.io/", "registry.opentofu.org/")


class Manifest(Struct, frozen=True):
    """`folders` and `sources` by the call's key: the names of the calls on the way to it, joined by dots."""

    folders: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def folder(self, key: str, source: str) -> str | None:
        """Where the module of a call is; None where it was not installed, or another one in its place."""
        folder = self.folders.get(key)
        if folder is None or not _same(source, self.sources[key]):
            return None
        return folder


def manifest_path(folder: str) -> str:
    return f"{folder}/{PATH}" if folder else PATH


def is_installed(path: str) -> bool:
    """Whether a file belongs to a module that was fetched."""
    return path.startswith(f"{FOLDER}/") or f"/{FOLDER}/" in path


def read_manifest(folder: str, tree: Tree) -> Manifest:
    path = manifest_path(folder)
    if not tree.is_file(path):
        return Manifest()
    import json

    try:
        modules = json.loads(tree.read(path))["Modules"]
        listed = [(str(one["Key"]), str(one["Source"]), str(one["Dir"])) for one in modules]
    except (OSError, PolicyEngineError) as error:
        return _unreadable(path, str(error), None)
    except json.JSONDecodeError as error:
        return _unreadable(path, error.msg, Span(error.lineno, error.colno, error.lineno, error.colno))
    except (ValueError, KeyError, TypeError, RecursionError):
        return _unreadable(path, "it is not what init writes", Span(1, 1, 1, 1))
    folders: dict[str, str] = {}
    sources: dict[str, str] = {}
    for key, source, place in listed:
        inside = join(folder, place)
        if inside is not None:
            folders[key], sources[key] = inside, source
    return Manifest(folders, sources)


def _unreadable(path: str, why: str, span: Span | None) -> Manifest:
    message = f"the list of installed modules cannot be read, run init again: {why}"
    return Manifest(problems=(Problem(path, message, span),))


def _same(called: str, installed: str) -> bool:
    """Addresses of a registry must agree; those of repositories are written in too many ways to compare."""
    one, other = _registry_address(called), _registry_address(installed)
    return one is None or other is None or one == other


def _registry_address(source: str) -> str | None:
    for registry in _REGISTRIES:
        source = source.removeprefix(registry)
    parts = source.partition("//")[0].split("/")
    return source if len(parts) in (3, 4) and not any(":" in part or "?" in part for part in parts) else None
