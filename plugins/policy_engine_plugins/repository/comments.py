"""The comments of files that this format reads, by how each kind writes them."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.span import Location
from policy_engine.unit import Comment
from policy_engine_plugins.repository.places import lines, on_line


def comments(path: str, data: bytes) -> Iterator[Comment]:
    name = path.lower().rpartition("/")[2]
    if name.endswith((".yml", ".yaml")):
        from policy_engine.yaml_document import comments as of_yaml

        yield from of_yaml(data, path)
    elif name.endswith((".json5", ".jsonc")) or name in ("devcontainer.json", ".devcontainer.json", "tasks.json"):
        yield from _of_lines(path, data, ("//",))
    elif name in ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"):
        yield from _of_lines(path, data, ("//",))
    elif name in (".npmrc", ".gitmodules"):
        yield from _of_lines(path, data, ("#", ";"))
    elif not name.endswith((".json", ".xml", ".config", ".lock")):
        yield from _of_lines(path, data, ("#",))


def _of_lines(path: str, data: bytes, signs: tuple[str, ...]) -> Iterator[Comment]:
    """Comments that have a line to themselves or follow a blank; a sign inside a quoted text is none."""
    for number, line in lines(data):
        start = _start(line, signs)
        if start is None:
            continue
        at, sign = start
        text = line[at + len(sign) :]
        yield Comment(Location(path, on_line(number, at, len(line.rstrip()))), text.strip(), not line[:at].strip())


def _start(line: str, signs: tuple[str, ...]) -> tuple[int, str] | None:
    quote = ""
    for position, char in enumerate(line):
        if quote:
            if char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif position == 0 or line[position - 1] in " \t":
            for sign in signs:
                if line.startswith(sign, position):
                    return position, sign
    return None
