"""What a `permissions` block grants, scope by scope."""

from __future__ import annotations

from typing import Any

from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlMapping
from policy_engine_plugins.github.source import Source

SETTINGS_DECIDE = Unknown("the repository's settings decide what the token may do where nothing is declared")


def token(permissions: Any, *, declared: bool) -> dict[str, Any]:
    """What the job's token may write, from a `permissions` value."""
    if not declared:
        return {"declared": False, "write": SETTINGS_DECIDE}
    if isinstance(permissions, Unknown):
        return {"declared": True, "write": permissions}
    write: list[str] = []
    if isinstance(permissions, str):
        write = ["*"] if permissions == "write-all" else []
    elif isinstance(permissions, dict):
        write = sorted(name for name, level in permissions.items() if level == "write")
    return {"declared": True, "write": write}


def grants(permissions: Any, written: Any, source: Source) -> Any:
    """The scopes of a block as a list of {name, level, explained}, in its order: whether a comment says why stands
    behind the scope, behind the block on its line, or on the line above."""
    if isinstance(permissions, Unknown):
        return permissions
    if type(written) is not YamlMapping:
        return []
    whole = written.mark[0] == written.mark[2] and bool(source.comment_after(written.mark))
    return [
        {
            "name": name,
            "level": permissions[name],
            "explained": whole or bool(source.comment_after(value) or source.comment_above(key[0])),
        }
        for name, (key, value) in written.marks.items()
    ]
