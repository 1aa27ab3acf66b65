"""Brings what may be written in a short or a long form into one: the long one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.compose.node import Node

_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]")
_PROPAGATION = frozenset({"shared", "rshared", "slave", "rslave", "private", "rprivate"})
_FROM_OUTSIDE = "is taken from the environment of whoever starts the service"


def misshapen(node: Node) -> Iterator[tuple[Node, str]]:
    """The attributes of a service that are no list, or neither list nor mapping, though they should be."""
    for key, shapes in _SHAPES.items():
        child = node.value.get(key)
        if child is None or child.value is None or isinstance(child.value, (Unknown, *shapes)) or child.tag == "!reset":
            continue
        yield child, f"'{key}' is not a list" if shapes == (list,) else f"'{key}' is neither a list nor a mapping"


def normalise_service(node: Node) -> None:
    """Brings a service into the long form, in place. What has no known form is left as it is."""
    entries: dict[str, Node] = node.value
    for key, change in _SERVICE.items():
        child = entries.get(key)
        if child is not None and not isinstance(child.value, Unknown) and child.value is not None:
            entries[key] = change(child)


def _same(node: Node, value: Any) -> Node:
    return Node(value, node.document, node.path, node.tag)


def _items(change: Callable[[Node, str], Node]) -> Callable[[Node], Node]:
    """Brings each item of a list into the long form. What is not known of a text is a gap in it."""

    def apply(node: Node) -> Node:
        if not isinstance(node.value, list):
            return node
        items = []
        for item in node.value:
            text = _with_gaps(item.value)
            items.append(item if text is None else change(item, text))
        return _same(node, items)

    return apply


_GAP = "\0"


def _with_gaps(value: Any) -> str | None:
    if isinstance(value, Unknown):
        return "".join(_GAP if each is None else each for each in value.fragments) or None
    # A text that holds the sign itself is nothing that Docker takes, and stays as it is.
    return str(value) if isinstance(value, (str, int)) and _GAP not in str(value) else None


def _part(item: Node, text: str) -> Node:
    """A part of an item's text, unknown where there is a gap in it."""
    if _GAP not in text:
        return item.at(text)
    assert isinstance(item.value, Unknown)
    fragments: list[str | None] = []
    for index, piece in enumerate(text.split(_GAP)):
        if index:
            fragments.append(None)
        if piece:
            fragments.append(piece)
    partly = len(fragments) > 1
    return item.at(
        Unknown(item.value.reason, item.value.origin, (), tuple(fragments) if partly else (), present=partly)
    )


def _doubt(item: Node) -> Node:
    assert isinstance(item.value, Unknown)
    return item.at(Unknown(item.value.reason, item.value.origin))


def _port(item: Node, text: str) -> Node:
    ip, rest = "", text
    if text.startswith("["):
        ip, _, rest = text[1:].partition("]:")
    protocol = "tcp"
    if "/" in rest:
        rest, _, protocol = rest.partition("/")
    parts = rest.split(":")
    if not ip and len(parts) == 3:
        ip, parts = parts[0], parts[1:]
    if len(parts) > 2 or not re.fullmatch(rf"[\d{_GAP}]+(?:-[\d{_GAP}]+)?", parts[-1]):
        return item
    target = _part(item, parts[-1])
    entries = {
        "target": item.at(_number(parts[-1])) if _GAP not in parts[-1] else target,
        "protocol": _part(item, protocol),
    }
    if len(parts) == 2:
        entries["published"] = _part(item, parts[0]) if _GAP in parts[0] else item.at(_number(parts[0]))
    if ip:
        entries["host_ip"] = _part(item, ip)
    elif parts[0].startswith(_GAP):
        # What is filled in may bring an address along.
        entries["host_ip"] = _doubt(item)
    return _same(item, entries)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 6 else text


def _volume(item: Node, text: str) -> Node:
    drive = text[:2] if _WINDOWS_PATH.match(text) else ""
    parts = text[len(drive) :].split(":")
    parts[0] = drive + parts[0]
    if len(parts) > 2 and re.fullmatch(r"[A-Za-z]", parts[1]) and parts[2][:1] in ("\\", "/"):
        parts[1:3] = [f"{parts[1]}:{parts[2]}"]
    if len(parts) == 1:
        if _GAP in text:
            return item
        return _same(item, {"type": item.at("volume"), "target": item.at(parts[0])})
    source, target, *modes = parts
    kind = item.at("bind" if source.startswith((".", "/", "~")) or drive else "volume")
    if source.startswith(_GAP):
        kind = _doubt(item)
    entries = {
        "type": kind,
        "source": _part(item, source),
        "target": _part(item, target),
        "read_only": item.at("ro" in ",".join(modes).split(",")),
    }
    for mode in ",".join(modes).split(","):
        if mode in _PROPAGATION:
            entries["bind"] = _same(item, {"propagation": item.at(mode)})
    return _same(item, entries)


def _device(item: Node, text: str) -> Node:
    source, _, rest = text.partition(":")
    target, _, permissions = rest.partition(":")
    return _same(
        item,
        {
            "source": _part(item, source),
            "target": _part(item, target or source),
            "permissions": _part(item, permissions or "rwm"),
        },
    )


def _grant(item: Node, _text: str) -> Node:
    return _same(item, {"source": item.at(item.value)})


def _env_file(node: Node) -> Node:
    items = node.value if isinstance(node.value, list) else [node]
    return _same(node, [_env_item(item) for item in items])


def _env_item(item: Node) -> Node:
    if isinstance(item.value, dict):
        return item
    return Node({"path": item.at(item.value), "required": item.at(True)}, item.document, item.path)


def pairs(node: Node) -> Node:
    """`NAME=value` items as a mapping; a name alone, or one with null, gets its value from outside."""
    entries: dict[str, Node] = {}
    if isinstance(node.value, list):
        for item in node.value:
            if isinstance(item.value, str):
                name, sign, value = item.value.partition("=")
                written = None
                if sign:
                    written = (item.written or item.value).partition("=")[2]
                child = item.at(value if sign else Unknown(f"'{name[:60]}' {_FROM_OUTSIDE}"))
                child.written = written
                entries[name] = child
            elif isinstance(item.value, Unknown):
                known = _known_name(item.value)
                if known is None:
                    node = _open(node, item.value)
                    continue
                fragments = tuple(item.value.fragments)
                first = (fragments[0] or "").partition("=")[2]
                rest = ((first,) if first else ()) + fragments[1:]
                partly = len(rest) > 1
                child = item.at(
                    Unknown(item.value.reason, item.value.origin, (), rest if partly else (), present=partly)
                )
                child.written = (item.written or "").partition("=")[2]
                entries[known] = child
        return Node(entries, node.document, node.path, node.tag, node.rest)
    if isinstance(node.value, dict):
        for name, child in node.value.items():
            entries[name] = child
            if child.value is None:
                entries[name] = child.at(Unknown(f"'{name[:60]}' {_FROM_OUTSIDE}"))
        return Node(entries, node.document, node.path, node.tag, node.rest)
    return node


def _known_name(value: Unknown) -> str | None:
    first = value.fragments[0] if value.fragments else None
    return first.partition("=")[0] if first and "=" in first else None


def _open(node: Node, why: Unknown) -> Node:
    return Node(node.value, node.document, node.path, node.tag, Unknown(why.reason, why.origin))


def plain_pairs(node: Node) -> Node:
    """As `pairs`, where a name alone has an empty value (labels)."""
    if not isinstance(node.value, list):
        return node
    entries = {}
    for item in node.value:
        if isinstance(item.value, str):
            sign = "=" if "=" in item.value else ":"
            name, _, value = item.value.partition(sign)
            entries[name] = item.at(value)
    return _same(node, entries)


def _named(default: Mapping[str, Any] | None) -> Callable[[Node], Node]:
    """A list of names as a mapping."""

    def apply(node: Node) -> Node:
        if not isinstance(node.value, list):
            return node
        entries = {}
        for item in node.value:
            if isinstance(item.value, str):
                value = None if default is None else {key: item.at(each) for key, each in default.items()}
                entries[item.value] = item.at(value)
        return _same(node, entries)

    return apply


def _context(node: Node) -> Node:
    if not isinstance(node.value, dict):
        return _same(node, {"context": node.at(node.value)})
    entries = dict(node.value)
    if "args" in entries and entries["args"].value is not None:
        entries["args"] = pairs(entries["args"])
    if "labels" in entries:
        entries["labels"] = plain_pairs(entries["labels"])
    return _same(node, entries)


def _words(node: Node) -> Node:
    if not isinstance(node.value, str):
        return node
    try:
        words = shlex.split(node.value)
    except ValueError:
        words = [node.value]
    return _same(node, [node.at(word) for word in words])


def _listed(node: Node) -> Node:
    return node if isinstance(node.value, (list, dict)) else _same(node, [node.at(node.value)])


def _health(node: Node) -> Node:
    test = node.get("test")
    if test is None or not isinstance(test.value, str):
        return node
    words = [test.at("CMD-SHELL"), test.at(test.value)]
    return _same(node, {**node.value, "test": _same(test, words)})


_SHAPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("ports", "volumes", "devices", "secrets", "configs"), (list,)),
    **dict.fromkeys(("cap_add", "cap_drop", "security_opt", "group_add", "device_cgroup_rules"), (list,)),
    **dict.fromkeys(("environment", "labels", "networks", "depends_on", "extra_hosts", "sysctls"), (list, dict)),
}
_SERVICE: Mapping[str, Callable[[Node], Node]] = {
    "ports": _items(_port),
    "volumes": _items(_volume),
    "devices": _items(_device),
    "secrets": _items(_grant),
    "configs": _items(_grant),
    "build": _context,
    "environment": pairs,
    "labels": plain_pairs,
    "annotations": plain_pairs,
    "extra_hosts": plain_pairs,
    "sysctls": plain_pairs,
    "depends_on": _named({"condition": "service_started", "required": True}),
    "networks": _named(None),
    "env_file": _env_file,
    "command": _words,
    "entrypoint": _words,
    "healthcheck": _health,
    "dns": _listed,
    "dns_search": _listed,
    "tmpfs": _listed,
    "profiles": _listed,
}
