"""Which resources an attribute derives from, by what a plan says of its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MAX_STEPS = 200


class PlanReferences:
    """`configuration` is the plan's part of that name; what it does not hold is not known."""

    def __init__(self, configuration: Any) -> None:
        self._root = _mapping(_mapping(configuration).get("root_module"))

    def of(self, address: str, attribute: str) -> tuple[str, ...]:
        """Addresses of the resources and modules behind an attribute of the resource at `address`. None at all where
        it cannot be told: it may then derive from anything. Of an attribute that the configuration does not set, which
        the provider makes, the resource itself."""
        calls, short = split(address)
        module = self._module(calls)
        resource = next(
            (one for one in _mappings(module.get("resources")) if one.get("address") == short.partition("[")[0]), None
        )
        if resource is None:
            return ()
        expression = _mapping(resource.get("expressions")).get(attribute)
        if expression is None:
            return (address,)
        return self._behind(expression, calls)

    def _module(self, calls: tuple[str, ...]) -> Mapping[str, Any]:
        module = self._root
        for call in calls:
            module = _mapping(_mapping(_call(module, call)).get("module"))
        return module

    def _behind(self, expression: Any, calls: tuple[str, ...]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        waiting = [(expression, calls)]
        for _ in range(_MAX_STEPS):
            if not waiting:
                return tuple(found)
            current, inside = waiting.pop()
            prefix = "".join(f"module.{call}." for call in inside)
            for reference in _references(current):
                parts = reference.split(".")
                if parts[0] == "var":
                    # The value that the call gives; a default refers to nothing.
                    if not inside:
                        continue
                    given = _mapping(_call(self._module(inside[:-1]), inside[-1]).get("expressions"))
                    if parts[1] in given:
                        waiting.append((given[parts[1]], inside[:-1]))
                elif parts[0] in ("each", "count", "path", "terraform", "self"):
                    continue
                elif parts[0] == "local":
                    return ()  # what locals are made of is not in a plan
                else:
                    size = 3 if parts[0] == "data" else 2
                    if len(parts) >= size:
                        found[prefix + ".".join(parts[:size])] = None
        return ()


def split(address: str) -> tuple[tuple[str, ...], str]:
    """The calls on the way to a resource, with their keys, and the resource's own part of the address."""
    calls: list[str] = []
    rest = address
    while rest.startswith("module."):
        end = len("module.")
        quoted = False
        while end < len(rest) and (quoted or rest[end] != "."):
            if quoted and rest[end] == "\\":
                end += 1
            elif rest[end] == '"':
                quoted = not quoted
            end += 1
        calls.append(rest[len("module.") : end])
        rest = rest[end + 1 :]
    return tuple(calls), rest


def _call(module: Mapping[str, Any], call: str) -> Mapping[str, Any]:
    return _mapping(_mapping(module.get("module_calls")).get(call.partition("[")[0]))


def _references(expression: Any) -> Iterator[str]:
    """In an expression, or in a nested block's. A reference comes with its shorter forms; the longest says it all."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            references = part.get("references")
            if isinstance(references, list):
                yield from (one for one in references if isinstance(one, str))
            waiting.extend(value for key, value in part.items() if key != "references")
        elif isinstance(part, list):
            waiting.extend(part)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            yield one
