"""Date and time functions; the present time is not known."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from policy_engine_plugins.terraform.functions.signature import Function, function, never
from policy_engine_plugins.terraform.values import EvaluationError, Value, to_text

_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:([Zz])|([+-])(\d\d):(\d\d))")
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_UNITS = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_TOKEN = re.compile(r"'(?:[^']|'')*'|([a-zA-Z])\1*|[^a-zA-Z']+")


def _stamp(text: Value) -> datetime:
    found = _STAMP.fullmatch(to_text(text))
    if found is None:
        raise EvaluationError("a time like 2006-01-02T15:04:05Z is needed")
    year, month, day, hour, minute, second = (int(found[at]) for at in range(1, 7))
    offset = timedelta(0)
    if found[8]:
        offset = timedelta(hours=int(found[9]), minutes=int(found[10]))
        offset = -offset if found[8] == "-" else offset
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
    except ValueError:
        raise EvaluationError("the time is not valid") from None


def _zone(stamp: datetime, colon: bool) -> str:
    minutes = int((stamp.utcoffset() or timedelta(0)).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{sign}{hours:02d}{':' if colon else ''}{rest:02d}"


def _time_add(text: Value, duration: Value) -> str:
    stamp, span = _stamp(text), to_text(duration)
    sign = -1 if span.startswith("-") else 1
    body = span.lstrip("+-") if span[:1] in ("+", "-") else span
    seconds = Fraction(0)
    if body != "0":
        at = 0
        while at < len(body):
            found = _DURATION.match(body, at)
            if found is None or len(found[0]) > 30:
                raise EvaluationError("a duration like 1h30m is needed")
            seconds += (
                Fraction(found[1].rstrip(".") if not found[1].startswith(".") else "0" + found[1]) * _UNITS[found[2]]
            )
            at = found.end()
        if not body:
            raise EvaluationError("a duration like 1h30m is needed")
    try:
        moved = stamp + timedelta(seconds=int(sign * seconds))
    except OverflowError:
        raise EvaluationError("the time is out of range") from None
    return moved.strftime("%Y-%m-%dT%H:%M:%S").zfill(19) + ("Z" if not moved.utcoffset() else _zone(moved, True))


def _time_compare(left: Value, right: Value) -> int:
    one, other = _stamp(left), _stamp(right)
    return (one > other) - (one < other)


def _format_date(spec: Value, text: Value) -> str:
    stamp, layout = _stamp(text), to_text(spec)
    pieces = []
    at = 0
    while at < len(layout):
        found = _TOKEN.match(layout, at)
        if found is None:
            raise EvaluationError("the date format has an open quote")
        at = found.end()
        token = found[0]
        if token[0] == "'":
            pieces.append(token[1:-1].replace("''", "'"))
        elif found[1] is None:
            pieces.append(token)
        else:
            pieces.append(_date_part(token, stamp))
    return "".join(pieces)


def _date_part(token: str, stamp: datetime) -> str:
    hour12 = stamp.hour % 12 or 12
    parts = {
        "YYYY": f"{stamp.year:04d}",
        "YY": f"{stamp.year % 100:02d}",
        "MMMM": _MONTHS[stamp.month - 1],
        "MMM": _MONTHS[stamp.month - 1][:3],
        "MM": f"{stamp.month:02d}",
        "M": str(stamp.month),
        "DD": f"{stamp.day:02d}",
        "D": str(stamp.day),
        "EEEE": _DAYS[stamp.weekday()],
        "EEE": _DAYS[stamp.weekday()][:3],
        "hh": f"{stamp.hour:02d}",
        "h": str(stamp.hour),
        "HH": f"{hour12:02d}",
        "H": str(hour12),
        "AA": "AM" if stamp.hour < 12 else "PM",
        "aa": "am" if stamp.hour < 12 else "pm",
        "mm": f"{stamp.minute:02d}",
        "m": str(stamp.minute),
        "ss": f"{stamp.second:02d}",
        "s": str(stamp.second),
        "ZZZZZ": _zone(stamp, True),
        "ZZZZ": _zone(stamp, False),
        "ZZZ": "UTC" if not stamp.utcoffset() else _zone(stamp, False),
        "Z": "Z" if not stamp.utcoffset() else _zone(stamp, True),
    }
    if token not in parts:
        raise EvaluationError(f"'{token}' is no part of a date format")
    return parts[token]


FUNCTIONS: dict[str, Function] = {
    "formatdate": function(2, 2, _format_date, weight=15),
    "plantimestamp": never("the time of the plan is not known"),
    "timeadd": function(2, 2, _time_add, weight=15),
    "timecmp": function(2, 2, _time_compare),
    "timestamp": never("the present time is not known"),
}
