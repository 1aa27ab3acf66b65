"""Checks for secrets that are written out where a reference belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.check import Check, Context, Doubt, Violation
from policy_engine.hookspecs import hookimpl


def plain_text_secret(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from policy_engine_plugins.secrets.plain_text import judge

    return judge(value, parameters)


@hookimpl
def register_checks() -> list[Check]:
    return [
        Check(
            "plain-text-secret",
            plain_text_secret,
            {
                "type": "object",
                "properties": {
                    "mapping": {
                        "type": "string",
                        "description": "path of the mapping, by names and indexes; `.` for the value itself",
                    },
                    "nested": {"type": "boolean", "description": "look into the mappings and lists in it, too"},
                    "except": {"type": "string", "description": "names that are none of a secret, as a pattern"},
                },
                "required": ["mapping"],
                "additionalProperties": False,
            },
            "no entry of a mapping that is named like a secret holds one written out",
        )
    ]
