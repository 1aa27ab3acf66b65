"""`$[[ inputs.x ]]`: what a file takes from whoever includes it, put in before the file is read any further."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.placed import Origin, Placed, PlacedList, origin_of
from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab.merging import Budget

OPEN = "$[["
_USE = re.compile(r"\$\[\[\s*([^\]]{0,1000}?)\s*\]\]")
_INPUT = re.compile(r"inputs\.([\w-]+)((?:\s*\|\s*[^|]*)*)")
_TRUNCATE = re.compile(r"truncate\(\s*(\d{1,6})\s*,\s*(\d{1,6})\s*\)")


Place = tuple[str, AttributePath]
"""A file and a path in it."""


class Given(Struct, frozen=True):
    """The value of an input and where it is written. `bounded` where its declaration limits what it may hold; unknown
    where the declaration is not in the file."""

    value: Any
    origin: Origin | None = None
    bounded: bool | Unknown = False


class Use(Struct, frozen=True):
    """An input put into a text: its name, whether its declaration bounds it, the text as written, the place in it."""

    name: str
    bounded: bool | Unknown
    text: str
    start: int
    end: int


class Interpolation(Struct):
    """Puts inputs into the values of one file. `uses` has, for each text that held some, by its place: which."""

    given: Mapping[str, Given]
    budget: Budget
    uses: dict[Place, list[Use]] = field(default_factory=dict)

    def apply(self, value: Any, origin: Origin) -> tuple[Any, Origin]:
        if isinstance(value, str):
            return self._text(value, origin) if OPEN in value else (value, origin)
        if isinstance(value, dict):
            self.budget.spend(len(value))
            result = Placed()
            changed = False
            for key, item in value.items():
                place = origin_of(value, origin, key)
                new, new_place = self.apply(item, place)
                shown = self._key(key) if OPEN in key else key
                changed = changed or new is not item or shown is not key
                result.put(shown, new, new_place)
            return (result if changed else value), origin
        if isinstance(value, list):
            self.budget.spend(len(value))
            items = PlacedList()
            changed = False
            for number, item in enumerate(value):
                new, place = self.apply(item, origin_of(value, origin, number))
                changed = changed or new is not item
                items.put(new, place)
            # A !reference keeps its tag only as it was written.
            return (items if changed and getattr(value, "tag", None) is None else value), origin
        return value, origin

    def _key(self, key: str) -> str:
        """A job's name may be made of inputs; what is not known of it is told as it is written."""
        text, _ = self._text(key, None)
        return str(text) if not isinstance(text, Unknown) else key

    def _text(self, text: str, origin: Origin | None) -> tuple[Any, Origin]:
        pieces: list[str | None] = []
        unknown: Unknown | None = None
        position = 0
        uses: list[Use] = []
        for match in _USE.finditer(text):
            found = self._value(match[1])
            name = match[1].partition("|")[0].strip().removeprefix("inputs.")
            uses.append(Use(name, found.bounded, text, match.start(), match.end()))
            if match.start() == 0 and match.end() == len(text):
                if origin is not None:
                    self._note(origin, uses)
                value = found.value
                if isinstance(value, (dict, list)) and found.origin is not None:
                    return value, found.origin
                return value, origin  # type: ignore[return-value] # keys have no origin, and ask for none
            if match.start() > position:
                pieces.append(text[position : match.start()])
            position = match.end()
            if isinstance(found.value, Unknown):
                unknown = found.value if unknown is None else unknown
                pieces.append(None)
            else:
                pieces.append(as_text(found.value))
        if position < len(text):
            pieces.append(text[position:])
        if origin is not None:
            self._note(origin, uses)
        if not uses:
            return text, origin  # type: ignore[return-value]
        if unknown is not None:
            return Unknown(unknown.reason, unknown.origin, fragments=_joined(pieces)), origin  # type: ignore[return-value]
        whole = "".join(piece or "" for piece in pieces)
        self.budget.spend(len(whole) // 100)
        return whole, origin  # type: ignore[return-value]

    def _note(self, origin: Origin, uses: list[Use]) -> None:
        if uses:
            self.uses[origin.document.path, origin.path] = uses

    def _value(self, expression: str) -> Given:
        match = _INPUT.fullmatch(expression.strip())
        if match is None:
            return Given(Unknown(f"$[[ {expression[:60]} ]] is known only when the pipeline is made"))
        given = self.given.get(match[1])
        if given is None:
            missing = Unknown(f"the file declares no input '{match[1]}'")
            return Given(missing, None, missing)
        value = given.value
        for function in filter(None, (each.strip() for each in match[2].split("|"))):
            truncate = _TRUNCATE.fullmatch(function)
            if isinstance(value, Unknown) or function in ("expand_vars", "posix_escape"):
                continue
            if truncate and isinstance(value, str):
                start = int(truncate[1])
                value = value[start : start + int(truncate[2])]
            else:
                value = Unknown(f"the function {function[:40]} is not known here")
        return Given(value, given.origin, given.bounded)


def _joined(pieces: list[str | None]) -> tuple[str | None, ...]:
    joined: list[str | None] = []
    for piece in pieces:
        if piece is not None and joined and joined[-1] is not None:
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        import json

        return json.dumps(value, default=str)
    return str(value)


def inputs_of(
    spec: Any, origin: Origin, arguments: Any, arguments_origin: Origin | None
) -> tuple[dict[str, Given], list[tuple[str, Origin]]]:
    """The inputs that a header declares, with what the include hands over or their defaults; and what is wrong."""
    declared = spec.get("inputs") if isinstance(spec, dict) else None
    if not isinstance(declared, dict):
        declared = {}
    place = origin.child("inputs")
    handed = arguments if isinstance(arguments, dict) else {}
    given: dict[str, Given] = {}
    wrong: list[tuple[str, Origin]] = []
    for name, settings in declared.items():
        settings = settings if isinstance(settings, dict) else {}
        kind = settings.get("type", "string")
        # A list is handed over on purpose: its items are steps or names, not a part of a text.
        bounded = kind in ("number", "boolean", "array") or bool(settings.get("options")) or bool(settings.get("regex"))
        at = place.child(name)
        if name in handed and arguments_origin is not None:
            given[name] = Given(handed[name], origin_of(handed, arguments_origin, name), bounded)
        elif "default" in settings:
            given[name] = Given(settings["default"], at.child("default"), bounded)
        else:
            reason = f"input '{name}' has no default"
            given[name] = Given(Unknown(reason, at.location()), at, bounded)
            if arguments_origin is not None:
                wrong.append((f"the input '{name}', which has no default, is not given", arguments_origin))
    if arguments_origin is not None:
        wrong.extend(
            (f"the included file has no input '{name}'", origin_of(handed, arguments_origin, name))
            for name in handed
            if name not in declared
        )
    return given, wrong
