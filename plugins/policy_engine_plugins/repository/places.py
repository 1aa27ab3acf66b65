"""Resources of a repository, and where they stand: by line, by document, or as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import WHOLE_FILE, Location, Span, Trace
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlDocument

FORMAT = "repository"
MAX_LINES = 200_000
MAX_LINE = 10_000
_BREAK = re.compile(r"\r\n|\n|\r")
_VARIABLE = re.compile(r"\$\{([^}]{1,200})\}|\$([A-Za-z_][A-Za-z0-9_]*)|%([A-Za-z_][A-Za-z0-9_]*)%")


def resource(
    type_: str,
    address: str,
    name: str,
    value: Mapping[str, Any],
    path: str,
    span: Span = WHOLE_FILE,
    places: Mapping[AttributePath, Span | Location] | None = None,
) -> Resource:
    """`places` are those of attributes; one that has none is at the nearest above it that does."""
    header = Location(path, span)

    def locate(wanted: AttributePath) -> Trace:
        for length in range(len(wanted), 0, -1):
            found = places.get(wanted[:length]) if places else None
            if found is not None:
                return Trace(found if isinstance(found, Location) else Location(path, found))
        return Trace(header)

    return Resource(FORMAT, type_, address, name, value, header, locate)


def from_document(
    type_: str,
    address: str,
    name: str,
    value: Mapping[str, Any],
    document: YamlDocument,
    base: AttributePath = (),
    renamed: Mapping[str, AttributePath] | None = None,
) -> Resource:
    """A resource that stands at `base` of a document. `renamed` says where attributes of ours come from."""
    path = document.path
    header = Location(path, document.at(base))

    def locate(wanted: AttributePath) -> Trace:
        if renamed and wanted and isinstance(wanted[0], str) and wanted[0] in renamed:
            return Trace(Location(path, document.at((*base, *renamed[wanted[0]], *wanted[1:]))))
        return Trace(Location(path, document.at((*base, *wanted))))

    return Resource(FORMAT, type_, address, name, value, header, locate, Location(path, document.extent(base)))


def decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Numbered lines; what is longer than a person writes is cut."""
    for number, line in enumerate(_BREAK.split(decode(data)), 1):
        if number > MAX_LINES:
            return
        yield number, line[:MAX_LINE]


def on_line(number: int, start: int, end: int) -> Span:
    """Columns from offsets in the line."""
    return Span(number, start + 1, number, max(end, start + 1) + 1 if end <= start else end + 1)


def line_span(number: int, line: str) -> Span:
    start = len(line) - len(line.lstrip())
    return on_line(number, start, len(line.rstrip()))


def open_value(text: str, what: str = "environment variable") -> str | Unknown:
    """The text, or what is unknown of it, where it is filled in from the environment."""
    found = _VARIABLE.search(text)
    if found is None:
        return text
    reason = f"the {what} '{found[1] or found[2] or found[3]}' is not known"
    fragments: list[str | None] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > position:
            fragments.append(text[position : match.start()])
        fragments.append(None)
        position = match.end()
    if position < len(text):
        fragments.append(text[position:])
    return Unknown(reason, fragments=tuple(fragments))


def scheme_of(url: str) -> str:
    """`http`, `https`, `ssh`, `git`, `file`; empty for a path or a bare name. `user@host:path` is ssh."""
    head, found, _ = url.partition("://")
    if found:
        return head.lower().removeprefix("git+").removeprefix("svn+").removeprefix("hg+").removeprefix("sparse+")
    if re.match(r"[\w.-]+@[\w.-]+:", url):
        return "ssh"
    return ""


_LOCAL = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|host\.docker\.internal|[\w-]+\.local)$", re.I)
_AUTHORITY = re.compile(r"://(?:([^/@]*)@)?([^/@]*)")


def host_of(url: str) -> str:
    found = _AUTHORITY.search(url)
    return re.sub(r":\d+$", "", found[2]).lower() if found else ""


def is_local(url: str) -> bool:
    """Whether it leads to the machine itself: nobody listens in between."""
    return bool(_LOCAL.match(host_of(url)))


def has_password(url: str) -> bool:
    """Whether a password or token is written into it; a variable in its place is none, nor is a bare user name."""
    found = _AUTHORITY.search(url)
    if not found or not found[1] or "$" in found[1] or "%" in found[1].replace("%40", "").replace("%3A", ""):
        return False
    user, colon, password = found[1].partition(":")
    if colon:
        return (bool(password) and not re.fullmatch(r"[*x<>]+|\{.*\}|x-oauth-basic", password)) or _token(user)
    return _token(user)


def _token(user: str) -> bool:
    return bool(re.match(r"gh[pousr]_|github_pat_|glpat-|[0-9a-f]{40}$", user))


def without_password(url: str) -> str:
    """The address fit to be shown."""
    return re.sub(r"(://)[^/@]*@", r"\1****@", url)


def fault(text: str, at: Iterable[str | int] = ()) -> dict[str, Any]:
    return {"text": text, "at": list(at)}
