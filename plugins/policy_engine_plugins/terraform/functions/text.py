"""String functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions.pattern import compiled
from policy_engine_plugins.terraform.functions.signature import MANY, Function, a_list, a_whole, function, known
from policy_engine_plugins.terraform.values import (
    MAX_TEXT,
    EvaluationError,
    ListValue,
    NotKnown,
    Value,
    combine,
    number_text,
    to_bool,
    to_number,
    to_text,
    type_name,
)

_VERB = re.compile(r"%(?:%|([-+# 0]*)(\d+)?(?:\.(\d+))?(?:\[(\d+)\])?([a-zA-Z])?)")
_MAX_WIDTH = 10_000


def pieces_to_value(pieces: list[str | Unknown]) -> Value:
    """Text from pieces some of which are unknown: then an Unknown that remembers the known ones."""
    unknowns = [piece for piece in pieces if isinstance(piece, Unknown)]
    if not unknowns:
        text = "".join(pieces)  # type: ignore[arg-type]
        if len(text) > MAX_TEXT:
            raise EvaluationError(f"the text grows beyond {MAX_TEXT} characters")
        return text
    fragments: list[str | None] = []
    for piece in pieces:
        for part in (piece.fragments or (None,)) if isinstance(piece, Unknown) else (piece,):
            if part is None:
                if not fragments or fragments[-1] is not None:
                    fragments.append(None)
            elif part and fragments and fragments[-1] is not None:
                fragments[-1] += part
            elif part:
                fragments.append(part)
    merged = combine(unknowns)
    return Unknown(merged.reason, merged.origin, merged.refers_to, tuple(fragments) if fragments != [None] else ())


def _format(spec: Value, *arguments: Value) -> Value:
    if isinstance(spec, Unknown):
        raise NotKnown(spec)
    text = to_text(spec)
    pieces: list[str | Unknown] = []
    at = 0
    following = 0
    used = 0
    for verb in _VERB.finditer(text):
        pieces.append(text[at : verb.start()])
        at = verb.end()
        if verb[0] == "%%":
            pieces.append("%")
            continue
        flags, width, precision, position, kind = verb.groups()
        if kind is None:
            raise EvaluationError(f"'{verb[0]}' is no format verb")
        if position is not None:
            following = int(position) - 1
        if not 0 <= following < len(arguments):
            raise EvaluationError("there are fewer arguments than format verbs")
        argument = arguments[following]
        following += 1
        used = max(used, following)
        if isinstance(argument, Unknown):
            pieces.append(argument if kind in "sv" and not width and precision is None else combine((argument,)))
        else:
            pieces.append(_verb(kind, flags, int(width or 0), None if precision is None else int(precision), argument))
    pieces.append(text[at:])
    if used < len(arguments):
        raise EvaluationError("there are more arguments than format verbs")
    return pieces_to_value(pieces)


def _verb(kind: str, flags: str, width: int, precision: int | None, value: Value) -> str:
    if width > _MAX_WIDTH or (precision or 0) > _MAX_WIDTH:
        raise EvaluationError("the width of a format verb is too large")
    if value is None:
        raise EvaluationError("a format argument is null")
    if kind == "v":
        return _default_verb(flags, width, precision, value)
    if kind == "t":
        return _pad("true" if to_bool(value) else "false", flags, width)
    if kind in "sq":
        text = to_text(value)
        if precision is not None:
            text = text[:precision]
        return _pad(json.dumps(text, ensure_ascii=False) if kind == "q" else text, flags, width)
    sign = "+" if "+" in flags else " " if " " in flags else ""
    if kind in "bdoxX":
        number = a_whole(value)
        digits = format(abs(number), kind)
        if "#" in flags and kind in "xX":
            digits = f"0{kind}{digits}"
        return _pad_number(("-" if number < 0 else sign) + digits, flags, width)
    if kind in "eEfFgG":
        shortest = kind in "gG" and precision is None
        text = _general(to_number(value), kind) if shortest else _floating(value, kind, precision)
        return _pad_number(text if text.startswith("-") else sign + text, flags, width)
    raise EvaluationError(f"'%{kind}' is no format verb")


def _floating(value: Value, kind: str, precision: int | None) -> str:
    return format(float(to_number(value)), f".{6 if precision is None else precision}{kind}")


def _default_verb(flags: str, width: int, precision: int | None, value: Value) -> str:
    if isinstance(value, bool):
        return _pad("true" if value else "false", flags, width)
    if isinstance(value, (int, float)):
        text = _general(value, "g") if precision is None else _floating(value, "g", precision)
        return _pad_number(text, flags, width)
    if isinstance(value, str):
        return _pad(json.dumps(value, ensure_ascii=False) if "#" in flags else value, flags, width)
    from policy_engine_plugins.terraform.functions.encoding import encode_json

    return _pad(encode_json(known(value)), flags, width)


def _general(number: int | float, kind: str) -> str:
    """`%g` with as many digits as needed, and an exponent from seven digits on, as Go has it."""
    plain = number_text(abs(number))
    digits = plain.replace(".", "").strip("0") or "0"
    point = len(plain.split(".")[0].lstrip("0"))
    if not point and "." in plain:
        decimals = plain.split(".")[1]
        point = -(len(decimals) - len(decimals.lstrip("0")))
    exponent = point - 1 if number else 0
    sign = "-" if number < 0 else ""
    if -4 <= exponent < 6:
        return sign + plain
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    mark = "E" if kind == "G" else "e"
    return f"{sign}{mantissa}{mark}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _pad(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    return text.rjust(width, "0" if "0" in flags else " ")


def _pad_number(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    return text.zfill(width) if "0" in flags else text.rjust(width)


def _format_list(spec: Value, *arguments: Value) -> Value:
    lengths = {len(argument) for argument in arguments if isinstance(argument, list)}
    if len(lengths) > 1:
        raise EvaluationError("the lists differ in length")
    if any(isinstance(argument, Unknown) for argument in arguments):
        # An unknown argument may be a list, of any length.
        raise NotKnown(next(argument for argument in arguments if isinstance(argument, Unknown)))
    count = lengths.pop() if lengths else 1
    return ListValue(
        _format(spec, *(argument[at] if isinstance(argument, list) else argument for argument in arguments))
        for at in range(count)
    )


def _join(separator: Value, *lists: Value) -> Value:
    between = to_text(separator)
    pieces: list[str | Unknown] = []
    for value in lists:
        for item in a_list(value):
            if item is None:
                raise EvaluationError("an element is null")
            if pieces:
                pieces.append(between)
            pieces.append(item if isinstance(item, Unknown) else to_text(item))
    return pieces_to_value(pieces)


def _split(separator: Value, text: Value) -> Value:
    between, whole = to_text(separator), to_text(text)
    return ListValue(whole.split(between) if between else list(whole))


def _replace(text: Value, old: Value, new: Value) -> Value:
    whole, sought, substitute = to_text(text), to_text(old), to_text(new)
    if len(sought) > 1 and sought[0] == sought[-1] == "/":
        expression = _never_empty(compiled(sought[1:-1], whole))
        result = expression.sub(lambda found: _expand(substitute, found), whole)
    else:
        if len(substitute) * (whole.count(sought) if sought else len(whole)) > MAX_TEXT:
            raise EvaluationError(f"the text grows beyond {MAX_TEXT} characters")
        result = whole.replace(sought, substitute)
    if len(result) > MAX_TEXT:
        raise EvaluationError(f"the text grows beyond {MAX_TEXT} characters")
    return result


_GROUP = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


def _expand(template: str, found: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return found[int(name) if name.isdecimal() else name] or ""
        except (IndexError, ValueError):
            return ""

    return _GROUP.sub(group, template)


def _regex(pattern: Value, text: Value) -> Value:
    whole = to_text(text)
    found = compiled(to_text(pattern), whole).search(whole)
    if found is None:
        raise EvaluationError("the pattern does not match")
    return _captures(found)


def _regex_all(pattern: Value, text: Value) -> Value:
    whole = to_text(text)
    return ListValue(_captures(found) for found in _never_empty(compiled(to_text(pattern), whole)).finditer(whole))


def _never_empty(expression: re.Pattern[str]) -> re.Pattern[str]:
    """Which empty matches count differs between RE2 and Python's engine."""
    if expression.search("") is not None:
        raise NotKnown(Unknown("a regular expression that matches no text at all"))
    return expression


def _captures(found: re.Match[str]) -> Value:
    names = found.re.groupindex
    if names:
        if len(names) != found.re.groups:
            raise EvaluationError("named and unnamed groups cannot be mixed")
        return dict(found.groupdict())
    return list(found.groups()) if found.re.groups else found[0]


def characters(text: str) -> str:
    """The text itself, once each code point in it is a character of its own, as Terraform counts characters."""
    if not text.isascii():
        import unicodedata

        for sign in text:
            if unicodedata.category(sign)[0] in "MC" or "\u1100" <= sign <= "\u11ff" or sign >= "\U0001f1e6":
                raise NotKnown(Unknown("what counts as one character of this text is not followed"))
    return text


def _substring(text: Value, offset: Value, length: Value) -> str:
    whole, start, size = characters(to_text(text)), a_whole(offset), a_whole(length)
    if start < 0:
        start = max(0, len(whole) + start)
    return whole[start:] if size < 0 else whole[start : start + size]


def _title(text: Value) -> str:
    return re.sub(r"(^|\W)(\w)", lambda found: found[1] + _upper(found[2]), to_text(text))


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _indent(spaces: Value, text: Value) -> str:
    count = a_whole(spaces)
    if count > _MAX_WIDTH:
        raise EvaluationError("the indentation is too large")
    return to_text(text).replace("\n", "\n" + " " * count)


def _trim_prefix(text: Value, prefix: Value) -> str:
    return to_text(text).removeprefix(to_text(prefix))


def _trim_suffix(text: Value, suffix: Value) -> str:
    whole, end = to_text(text), to_text(suffix)
    return whole.removesuffix(end) if end else whole


def _starts_with(text: Value, prefix: Value) -> bool | Unknown:
    """Text that is known in part may still be known to start so, or not to."""
    start = to_text(prefix)
    if isinstance(text, Unknown):
        first = text.fragments[0] if text.fragments else None
        if first is not None and (len(first) >= len(start) or not start.startswith(first)):
            return first.startswith(start)
        raise NotKnown(text)
    return to_text(text).startswith(start)


def _ends_with(text: Value, suffix: Value) -> bool | Unknown:
    end = to_text(suffix)
    if isinstance(text, Unknown):
        last = text.fragments[-1] if text.fragments else None
        if last is not None and (len(last) >= len(end) or not end.endswith(last)):
            return last.endswith(end)
        raise NotKnown(text)
    return to_text(text).endswith(end)


def _contains(text: Value, part: Value) -> bool | Unknown:
    sought = to_text(part)
    if isinstance(text, Unknown):
        if any(fragment is not None and sought in fragment for fragment in text.fragments):
            return True
        raise NotKnown(text)
    return sought in to_text(text)


def _not_null(implementation: Callable[..., Value]) -> Callable[..., Value]:
    def call(*arguments: Value) -> Value:
        for argument in arguments:
            if argument is None or isinstance(argument, (list, dict)):
                raise EvaluationError(f"a string is needed, not {type_name(argument)}")
        return implementation(*arguments)

    return call


FUNCTIONS: dict[str, Function] = {
    "chomp": function(1, 1, lambda text: re.sub(r"(?:\r\n?|\n)+\Z", "", to_text(text))),
    "endswith": function(2, 2, _not_null(_ends_with), unknowns=True),
    "format": function(1, MANY, _format, nulls=True, unknowns=True),
    "formatlist": function(1, MANY, _format_list, nulls=True, unknowns=True, weight=20),
    "indent": function(2, 2, _indent),
    "join": function(2, MANY, _join),
    "lower": function(1, 1, lambda text: _lower(to_text(text))),
    "regex": function(2, 2, _regex),
    "regexall": function(2, 2, _regex_all),
    "replace": function(3, 3, _replace),
    "split": function(2, 2, _split, weight=5),
    "startswith": function(2, 2, _not_null(_starts_with), unknowns=True),
    "strcontains": function(2, 2, _not_null(_contains), unknowns=True),
    "strrev": function(1, 1, lambda text: characters(to_text(text))[::-1]),
    "substr": function(3, 3, _substring),
    "title": function(1, 1, _title, weight=20),
    "trim": function(2, 2, lambda text, cut: to_text(text).strip(to_text(cut)) if to_text(cut) else to_text(text)),
    "trimprefix": function(2, 2, _trim_prefix),
    "trimspace": function(1, 1, lambda text: to_text(text).strip()),
    "trimsuffix": function(2, 2, _trim_suffix),
    "upper": function(1, 1, lambda text: _upper(to_text(text))),
}
