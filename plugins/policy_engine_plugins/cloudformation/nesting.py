"""Which templates nest which, by paths in the repository."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from policy_engine.errors import PolicyEngineError
from policy_engine.tree import Tree, join
from policy_engine_plugins.cloudformation.template import read_template

_KEYS = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
_ASSET = "aws:asset:path"
_WRITTEN = re.compile(
    rb"""(?:TemplateURL|Location|aws:asset:path)["']?\s*:\s*(?!["']?(?:https?:|s3:|arn:)|!|[{]|Fn::|Ref\b|ApplicationId\b)\S"""
)
_MAX_NESTED = 500


class NestedTemplate(NamedTuple):
    """path    the template, as the tree names it; None where it is elsewhere, and `reason` says so
    key     the property that says where
    """

    path: str | None
    key: str
    reason: str = ""


def nested_template(template: str, type_: str, node: Mapping[str, Any]) -> NestedTemplate | None:
    """What a resource of a template nests; None where it nests nothing."""
    key = _KEYS.get(type_)
    if key is None:
        return None
    properties = node.get("Properties")
    given = properties.get(key) if isinstance(properties, dict) else None
    metadata = node.get("Metadata")
    folder = template.rpartition("/")[0]
    if isinstance(metadata, dict) and isinstance(metadata.get(_ASSET), str):
        # The CDK names the file beside the address that it will be deployed to.
        given = metadata[_ASSET]
    if type(given) is not str or "{{resolve:" in given:
        return NestedTemplate(None, key, "where its template is, is known only when deployed")
    if "://" in given or given.startswith("s3:"):
        return NestedTemplate(None, key, "its template is not in this repository")
    path = join(folder, given)
    if path is None or not path:
        return NestedTemplate(None, key, f"'{given[:100]}' leads out of the scanned folder")
    return NestedTemplate(path, key)


class NestingGraph:
    """The templates of a run and what they nest, told from their bytes without evaluating them."""

    def __init__(self, paths: Sequence[str], tree: Tree) -> None:
        self._paths = sorted(paths)
        self._tree = tree
        self._calls: dict[str, list[str]] = {}

    def roots(self) -> list[str]:
        """Templates that no other one nests; of those that only nest each other in a circle, the first."""
        known = set(self._paths)
        called = {inner for path in self._paths for inner in self._nests(path) if inner != path and inner in known}
        roots = [path for path in self._paths if path not in called]
        reached = {inner for root in roots for inner in (root, *self.nested(root))}
        for path in self._paths:
            if path not in reached:
                roots.append(path)
                reached.update((path, *self.nested(path)))
        return sorted(roots)

    def nested(self, root: str) -> set[str]:
        """All templates that a stack of this one holds, itself left aside."""
        found: set[str] = set()
        waiting = [root]
        while waiting and len(found) < _MAX_NESTED:
            for path in self._nests(waiting.pop()):
                if path != root and path not in found:
                    found.add(path)
                    waiting.append(path)
        return found

    def _nests(self, path: str) -> list[str]:
        known = self._calls.get(path)
        if known is None:
            known = self._calls[path] = list(self._read(path))
        return known

    def _read(self, path: str) -> list[str]:
        try:
            data = self._tree.read(path)
        except (OSError, PolicyEngineError):
            return []
        # Few templates nest others by a path, and to parse all of them twice would cost as much as judging them.
        if not any(type_.encode() in data for type_ in _KEYS) or not _WRITTEN.search(data):
            return []
        found = []
        for node in read_template(path, data).section("Resources").values():
            if isinstance(node, dict) and isinstance(node.get("Type"), str):
                called = nested_template(path, node["Type"], node)
                if called is not None and called.path is not None and self._tree.is_file(called.path):
                    found.append(called.path)
        return found
