"""Where what kustomize builds comes from: the base's file, a patch, or what the kustomization itself says.

kustomize says only which file an object began in. What became of its attributes is found by comparing the values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from policy_engine.resource import AttributePath
from policy_engine.source_text import source_lines, source_text
from policy_engine.span import Location, Span, Trace
from policy_engine.tree import Tree
from policy_engine.yaml_document import YamlDocument, YamlMapping
from policy_engine_plugins.kubernetes.chart import read_document
from policy_engine_plugins.kubernetes.kustomization import Kustomization, items
from policy_engine_plugins.kubernetes.render import line_span

_MERGE_KEYS = ("name", "mountPath", "devicePath", "containerPort", "port", "key", "ip", "topologyKey", "path", "host")
_ABSENT: Any = object()
_BLOCK = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?$")


class Source(Struct, frozen=True):
    """An object as a file has it: a base's, or a patch, which may be text inside a kustomization. A patch with a target
    changes what that selects, whatever kind and name it has itself."""

    path: str
    document: YamlDocument
    place: AttributePath
    value: Any
    inside: Inside | None = None
    target: Any = None

    @property
    def kind(self) -> str:
        return str(self.value.get("kind"))

    @property
    def name(self) -> str:
        metadata = self.value.get("metadata")
        return str(metadata.get("name")) if isinstance(metadata, dict) else ""

    def at(self, path: AttributePath) -> Location:
        return _located(self.path, self.document.at((*self.place, *path)), self.inside)

    def extent(self, path: AttributePath) -> Location:
        return _located(self.path, self.document.extent((*self.place, *path)), self.inside)


class Operation(Struct, frozen=True):
    """One operation of a JSON patch; its target may name a kind and a name."""

    path: str
    document: YamlDocument
    place: AttributePath
    pointer: tuple[str, ...]
    value: Any
    target: Any
    inside: Inside | None = None

    def at(self, path: AttributePath) -> Location:
        return _located(self.path, self.document.at((*self.place, "value", *path)), self.inside)


class Inside(Struct, frozen=True):
    """Text in another file: `key` is the line of the key that it is the value of, and `lines` are that file's."""

    key: int
    lines: tuple[str, ...]

    def span(self, span: Span) -> Span:
        if not _BLOCK.search(self.lines[self.key - 1]):
            return line_span(self.lines, self.key)
        first = line_span(self.lines, min(self.key + span.start_line, len(self.lines)))
        last = line_span(self.lines, min(self.key + span.end_line, len(self.lines)))
        return Span(first.start_line, first.start_column, last.end_line, last.end_column)


def _located(path: str, span: Span, inside: Inside | None) -> Location:
    return Location(path, span if inside is None else inside.span(span))


def objects(path: str, tree: Tree) -> Iterator[Source]:
    """The objects of a file."""
    from policy_engine.errors import PolicyEngineError
    from policy_engine.yaml_document import parse_yaml

    try:
        data = tree.read(path)
    except (OSError, PolicyEngineError):
        return
    for document in parse_yaml(data, path, yaml_1_1=True).documents:
        yield from _objects(path, document, (), document.value, None)


def _objects(
    path: str, document: YamlDocument, place: AttributePath, value: Any, inside: Inside | None
) -> Iterator[Source]:
    if type(value) is not YamlMapping or not isinstance(value.get("kind"), str):
        return
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            yield from _objects(path, document, (*place, "items", index), item, inside)
    else:
        yield Source(path, document, place, value, inside)


class Patches:
    """The patches of kustomizations, the one that is applied last first."""

    def __init__(self, kustomizations: Sequence[Kustomization], tree: Tree) -> None:
        self.merges: list[Source] = []
        self.operations: list[Operation] = []
        for each in kustomizations:
            self._add(each, tree)

    def _add(self, each: Kustomization, tree: Tree) -> None:
        from policy_engine.tree import join

        entries: list[tuple[AttributePath, Any, Any]] = []
        value = each.value()
        for key in ("patchesStrategicMerge", "patches", "patchesJson6902"):
            for index, item in enumerate(items(value, key)):
                if isinstance(item, str):
                    entries.append(((key, index), item, None))
                elif isinstance(item, dict):
                    inline = item.get("patch")
                    target = item.get("target")
                    if isinstance(inline, str):
                        entries.append(((key, index, "patch"), inline + "\n", target))
                    elif isinstance(item.get("path"), str):
                        entries.append(((key, index, "path"), item["path"], target))
        for place, text, target in reversed(entries):
            if "\n" in text:
                lines = tuple(source_lines(source_text(tree.read(each.path))))
                self._read(text.encode(), each.path, target, Inside(each.document.at(place).start_line, lines))
                continue
            path = join(each.folder, text)
            document = None if path is None or not tree.is_file(path) else read_document(path, tree)
            if path is not None and document is not None:
                self._take(path, document, target, None)

    def _read(self, data: bytes, path: str, target: Any, inside: Inside) -> None:
        from policy_engine.yaml_document import parse_yaml

        for document in parse_yaml(data, path, yaml_1_1=True).documents:
            self._take(path, document, target, inside)

    def _take(self, path: str, document: YamlDocument, target: Any, inside: Inside | None) -> None:
        value = document.value
        if isinstance(value, list):
            for index in range(len(value) - 1, -1, -1):
                item = value[index]
                if isinstance(item, dict) and isinstance(item.get("path"), str) and "value" in item:
                    parts = item["path"].strip("/").split("/")
                    pointer = tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)
                    operation = Operation(path, document, (index,), pointer, item["value"], target, inside)
                    self.operations.append(operation)
            return
        for each in _objects(path, document, (), value, inside):
            self.merges.append(replace(each, target=target))


class BuiltPlaces:
    """The places of one built object."""

    def __init__(
        self,
        base: Source | None,
        generator: Location | None,
        patches: Patches,
        kustomizations: Sequence[Kustomization],
    ) -> None:
        self.base = base
        self.generator = generator
        self.patches = patches
        self.kustomizations = kustomizations

    def at(self, document: YamlDocument, path: AttributePath) -> Trace:
        value = document.value
        path = _existing(value, path)
        base = self.base
        if base is None:
            return Trace(self._generated(path))
        while True:
            wanted = _walk(value, path)
            found = aligned(value, base.value, path)
            if found is not None and _alike(_walk(base.value, found), wanted):
                return Trace(base.at(found))
            place = self._patched(value, path, wanted, base) or self._transformed(path, base, found)
            if place is not None:
                return Trace(place, ((base.at(("kind",)), "of this object"),))
            if not path:
                return Trace(base.at(("kind",)))
            path = path[:-1]

    def extent(self, document: YamlDocument, path: AttributePath) -> Location:
        if self.base is None:
            return self._generated(())
        found = aligned(document.value, self.base.value, path)
        return self.base.extent(()) if found is None else self.base.extent(found)

    def _patched(self, value: Any, path: AttributePath, wanted: Any, base: Source) -> Location | None:
        for patch in self.patches.merges:
            if isinstance(patch.target, dict):
                if not _is_target(patch.target, base):
                    continue
            elif patch.kind != base.kind or (patch.name not in ("", base.name) and patch.name not in _name(value)):
                continue
            found = aligned(value, patch.value, path)
            if found is not None and _alike(_walk(patch.value, found), wanted):
                return patch.at(found)
        for operation in self.patches.operations:
            rest = _below(value, operation.pointer, path)
            if rest is None or not _is_target(operation.target, base):
                continue
            inner = aligned(wanted if not rest else _walk(value, path[: len(path) - len(rest)]), operation.value, rest)
            if inner is not None and _alike(_walk(operation.value, inner), wanted):
                return operation.at(inner)
        return None

    def _transformed(self, path: AttributePath, base: Source, written_at: AttributePath | None) -> Location | None:
        """What the kustomization itself changes: names, namespaces, labels, images and replicas."""
        keys: tuple[str, ...] = ()
        last = path[-1] if path else None
        if last == "namespace":
            keys = ("namespace",)
        elif path == ("metadata", "name"):
            keys = ("namePrefix", "nameSuffix")
        elif last == "image":
            keys = ("images",)
        elif last == "replicas":
            keys = ("replicas",)
        elif "labels" in path or "selector" in path:
            keys = ("labels", "commonLabels")
        elif "annotations" in path:
            keys = ("commonAnnotations",)
        for each in self.kustomizations:
            for key in keys:
                written = each.value().get(key)
                if isinstance(written, list):
                    for index, item in enumerate(written):
                        name = item.get("name") if isinstance(item, dict) else None
                        if isinstance(name, str) and (
                            name == base.name or _has_image(base.value, written_at or (), name)
                        ):
                            return Location(each.path, each.document.at((key, index)))
                elif isinstance(written, dict) and last in written:
                    return Location(each.path, each.document.at((key, str(last))))
                elif isinstance(written, str):
                    return Location(each.path, each.document.at((key,)))
        return None

    def _generated(self, path: AttributePath) -> Location:
        assert self.generator is not None
        return self.generator


def _has_image(value: Any, path: AttributePath, name: str) -> bool:
    written = _walk(value, path)
    text = written if isinstance(written, str) else ""
    text = text.partition("@")[0]
    head, colon, tag = text.rpartition(":")
    return name == (head if colon and "/" not in tag else text)


def _is_target(target: Any, base: Source) -> bool:
    if not isinstance(target, dict):
        return True
    kind, name = target.get("kind"), target.get("name")
    return (kind is None or kind == base.kind) and (name is None or name == base.name or not str(name).isalnum())


def _below(value: Any, pointer: tuple[str, ...], path: AttributePath) -> AttributePath | None:
    """What of a path is left behind a pointer; None where it leads elsewhere."""
    if len(pointer) > len(path):
        return None
    for step, part in zip(path, pointer, strict=False):
        if isinstance(step, int):
            if part != "-" and part != str(step):
                return None
        elif step != part:
            return None
    return path[len(pointer) :]


def _name(value: Any) -> str:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def _alike(written: Any, built: Any) -> bool:
    if written is _ABSENT:
        return False
    if isinstance(built, dict):
        return isinstance(written, dict)
    if isinstance(built, list):
        return isinstance(written, list)
    return bool(written == built) or (not isinstance(written, (dict, list)) and str(written) == str(built))


def _walk(value: Any, path: AttributePath) -> Any:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = dict.get(value, step, _ABSENT)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return _ABSENT
    return value


def _existing(value: Any, path: AttributePath) -> AttributePath:
    """As much of the path as is there."""
    for number, step in enumerate(path):
        value = _walk(value, (step,))
        if value is _ABSENT:
            return path[:number]
    return path


def aligned(built: Any, written: Any, path: AttributePath) -> AttributePath | None:
    """The path in `written` of what stands at `path` in `built`: items of lists are told by what names them."""
    found: list[str | int] = []
    for step in path:
        if isinstance(built, list) and isinstance(step, int):
            if not isinstance(written, list) or step >= len(built):
                return None
            index = _item(written, built[step], step)
            if index is None:
                return None
            found.append(index)
            built, written = built[step], written[index]
        else:
            built, written = _walk(built, (step,)), _walk(written, (step,))
            if written is _ABSENT:
                return None
            found.append(step)
    return tuple(found)


def _item(written: list[Any], built: Any, index: int) -> int | None:
    if isinstance(built, dict):
        for key in _MERGE_KEYS:
            name = built.get(key)
            if name is not None and not isinstance(name, (dict, list)):
                same = [n for n, item in enumerate(written) if isinstance(item, dict) and item.get(key) == name]
                if same:
                    return same[0] if index not in same else index
                return None
    for number, item in enumerate(written):
        if item == built:
            return number
    return index if index < len(written) and not isinstance(built, dict) else None
