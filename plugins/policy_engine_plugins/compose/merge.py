"""Merges one file's model over another's, as Compose does: mappings key by key, lists one after the other.

https://docs.docker.com/reference/compose-file/merge/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.compose.node import Node

# Paths below a service whose lists are replaced, not lengthened.
_REPLACED = frozenset({("command",), ("entrypoint",), ("healthcheck", "test")})


def merge_models(under: Node, over: Node) -> Node:
    """Two whole models; services are merged by their own rules."""
    return _mapping(under, over, (), _top)


def _top(under: Node, over: Node, path: tuple[str, ...]) -> Node:
    if len(path) == 1 and path[0] == "services":
        return _mapping(under, over, path, _top)
    if len(path) == 2 and path[0] == "services":
        return merge_services(under, over)
    return _merged(under, over, path)


def merge_services(under: Node, over: Node) -> Node:
    """Two services in the long form."""
    return _mapping(under, over, (), _merged)


def _merged(under: Node, over: Node, path: tuple[str, ...]) -> Node:
    if over.tag in ("!override", "!reset"):
        return over
    if isinstance(under.value, dict) and isinstance(over.value, dict):
        if path == ("logging",) and _differ(under, over, "driver"):
            return over
        return _mapping(under, over, path, _merged)
    if isinstance(under.value, list) and isinstance(over.value, list):
        if path in _REPLACED:
            return over
        items = [*under.value, *over.value]
        key = _UNIQUE.get(path[0]) if len(path) == 1 else None
        if key is not None:
            items = _unique(items, key)
        return Node(items, over.document, over.path)
    if over.value is None and path:
        return under
    return over


def _mapping(
    under: Node, over: Node, path: tuple[str, ...], merge: Callable[[Node, Node, tuple[str, ...]], Node]
) -> Node:
    if over.tag in ("!override", "!reset"):
        return over
    if not isinstance(under.value, dict) or not isinstance(over.value, dict):
        return over if over.value is not None else under
    entries = dict(under.value)
    for key, node in over.value.items():
        entries[key] = merge(entries[key], node, (*path, key)) if key in entries else node
    rest = under.rest if under.rest is not None else None
    return Node(entries, under.document, under.path, None, rest)


def _differ(under: Node, over: Node, key: str) -> bool:
    ours, theirs = over.get(key), under.get(key)
    return ours is not None and theirs is not None and ours.value != theirs.value


def _scalar(node: Node | None) -> Any:
    return None if node is None or isinstance(node.value, (dict, list, Unknown)) else str(node.value)


def _by(*keys: str) -> Callable[[Node], Any]:
    def key(node: Node) -> Any:
        if not isinstance(node.value, dict):
            return _scalar(node)
        found = tuple(_scalar(node.get(each)) for each in keys)
        return found if any(each is not None for each in found) else None

    return key


def _grant(node: Node) -> Any:
    """Secrets and configs are told apart by where they are mounted: under their own name, unless it is said."""
    target = node.get("target")
    return _scalar(target if target is not None else node.get("source"))


# What tells the items of a list apart: of two with the same key the later one counts.
_UNIQUE: Mapping[str, Callable[[Node], Any]] = {
    "ports": _by("host_ip", "target", "published", "protocol"),
    "volumes": _by("target"),
    "devices": _by("target"),
    "secrets": _grant,
    "configs": _grant,
    "env_file": _by("path"),
    **dict.fromkeys(("cap_add", "cap_drop", "expose", "dns", "dns_search", "profiles", "security_opt"), _scalar),
    **dict.fromkeys(("external_links", "group_add", "tmpfs", "links"), _scalar),
}


def _unique(items: list[Node], key: Callable[[Node], Any]) -> list[Node]:
    kept: dict[Any, Node] = {}
    for index, item in enumerate(items):
        name = key(item)
        # What is not known is like nothing else.
        kept[("unknown", index) if name is None else name] = item
    return list(kept.values())


def drop_reset(node: Node) -> Node:
    """Without what `!reset` takes away."""
    if isinstance(node.value, dict):
        entries = {key: drop_reset(child) for key, child in node.value.items() if child.tag != "!reset"}
        return Node(entries, node.document, node.path, node.tag, node.rest, node.written)
    if isinstance(node.value, list):
        items = [drop_reset(child) for child in node.value if child.tag != "!reset"]
        return Node(items, node.document, node.path, node.tag, node.rest, node.written)
    return node
