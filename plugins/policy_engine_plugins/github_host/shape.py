"""What of an answer is kept: named fields of plain types, and nothing else.

A shape is `bool`, `int` or `str`; a mapping from field names to shapes; a list of one shape; or `Each` for a mapping
with any keys. What an answer holds beside it never reaches a snapshot, so no field that GitHub may add tomorrow can
carry a secret into one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

MAX_TEXT = 400
MAX_ITEMS = 10_000


class Each(Struct, frozen=True):
    """A mapping from any (short) key to values of one shape."""

    shape: Any


class _Left:
    """Marks what does not have its shape."""


LEFT = _Left()


def reduced(value: Any, shape: Any) -> Any:
    """`value` with only what the shape names. A part of another type is left out, as if it had not been there; null
    stays, but not as an item. Gives LEFT where the whole is of another type."""
    if value is None:
        return None
    if shape is bool:
        return value if isinstance(value, bool) else LEFT
    if shape is int:
        return value if isinstance(value, int) and not isinstance(value, bool) else LEFT
    if shape is str:
        return value[:MAX_TEXT] if isinstance(value, str) else LEFT
    if isinstance(shape, list):
        if not isinstance(value, list):
            return LEFT
        items = (reduced(item, shape[0]) for item in value[:MAX_ITEMS])
        return [item for item in items if item is not LEFT and item is not None]
    if not isinstance(value, dict):
        return LEFT
    if isinstance(shape, Each):
        pairs = ((key[:MAX_TEXT], reduced(item, shape.shape)) for key, item in list(value.items())[:MAX_ITEMS])
    else:
        pairs = ((key, reduced(value[key], inner)) for key, inner in shape.items() if key in value)
    return {key: item for key, item in pairs if item is not LEFT}


def schema_of(shape: Any) -> Mapping[str, Any]:
    """The JSON Schema of what `reduced` gives."""
    plain = {bool: "boolean", int: "integer", str: "string"}.get(shape) if isinstance(shape, type) else None
    if plain is not None:
        return {"type": [plain, "null"], **({"maxLength": MAX_TEXT} if shape is str else {})}
    if isinstance(shape, list):
        return {"type": ["array", "null"], "items": schema_of(shape[0]), "maxItems": MAX_ITEMS}
    if isinstance(shape, Each):
        return {"type": ["object", "null"], "additionalProperties": schema_of(shape.shape)}
    return {
        "type": ["object", "null"],
        "properties": {key: schema_of(inner) for key, inner in shape.items()},
        "additionalProperties": False,
    }
