"""`Fn::ForEach`: what a loop makes, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.partial import PartialList
from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.cloudformation.scope import Scope
from policy_engine_plugins.cloudformation.syntax import FOR_EACH, TRANSFORM
from policy_engine_plugins.cloudformation.values import text_of

MAX_TURNS = 1000
ENTRY_STEPS = 50
"""What an entry that a loop makes costs: CloudFormation takes 500 resources, a unit has room for 20,000."""
BODY = 2
"""Where in a loop its body stands."""


def turns(key: str, loop: Any, scope: Scope, depth: int = 0) -> list[tuple[Scope, dict[str, Any]]] | Unknown:
    """The loop's body with the scope of each turn; an Unknown where it is not known what the loop runs over."""
    from policy_engine_plugins.cloudformation.evaluate import MAX_DEPTH, evaluate

    name = key[len(FOR_EACH) :][:60]
    if not isinstance(loop, list) or len(loop) != 3 or not isinstance(loop[0], str) or not isinstance(loop[2], dict):
        return Unknown(f"the loop '{name}' is not a name, a collection and a body")
    if depth > MAX_DEPTH or len(scope.bindings or ()) >= 10:
        return Unknown(f"the loop '{name}' is nested too deep")
    collection = evaluate(loop[1], scope, depth + 1)
    if type(collection) is Unknown:
        return collection.member()
    if not isinstance(collection, list) or type(collection) is PartialList:
        return Unknown(f"what the loop '{name}' runs over is not known")
    if len(collection) > MAX_TURNS:
        return Unknown(f"the loop '{name}' has more than {MAX_TURNS} turns")
    found = []
    for item in collection:
        text = text_of(item)
        if text is None:
            return item.member() if type(item) is Unknown else Unknown(f"the loop '{name}' runs over what is no text")
        found.append((Scope(scope.stack, {**(scope.bindings or {}), str(loop[0]): text}), loop[BODY]))
    return found


def entries(
    section: Any, path: AttributePath, scope: Scope, depth: int = 0
) -> Iterator[tuple[str, Any, AttributePath, Scope, Unknown | None]]:
    """The entries of a section with its loops written out: key, node, where that stands, and the scope it is in. A loop
    or a macro that cannot be followed is given with the reason."""
    from policy_engine_plugins.cloudformation.evaluate import substitute

    for key, node in section.items():
        place = (*path, key)
        if key == TRANSFORM:
            yield key, node, place, scope, Unknown("it is made by a macro when the template is deployed")
        elif key.startswith(FOR_EACH):
            found = turns(key, node, scope, depth)
            if isinstance(found, Unknown):
                yield key, node, place, scope, found
                continue
            for turn, body in found:
                if not scope.stack.workspace.spend(ENTRY_STEPS * (len(body) + 1)):
                    return
                yield from entries(body, (*place, BODY), turn, depth + 1)
        else:
            yield substitute(key, scope.bindings) if scope.bindings else key, node, place, scope, None
