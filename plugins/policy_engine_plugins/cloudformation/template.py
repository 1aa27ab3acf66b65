"""One template file: its value, where things stand in it, and what is wrong with it."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from policy_engine.resource import AttributePath
from policy_engine.span import Location, Span
from policy_engine.unit import Problem, ProblemKind
from policy_engine.yaml_document import YamlMapping, YamlSequence, parse_yaml

# A lone `y` or `n` is a boolean to some readers of YAML 1.1; CloudFormation's takes it for text.
_LETTER = re.compile(r"(?:[:\-\[,{]|^)[ \t]*[yYnN][ \t]*(?:[,\]}#\r\n]|$)", re.MULTILINE)
_BEGAN = re.compile(r"begins in line (\d+)$")
_MAX_REPAIRED = 1_000_000
_MAX_REPAIRS = 10
_MAX_TOLD = 100
_NO_SPAN = Span(1, 1, 1, 1)


class Places(Protocol):
    """Maps attribute paths to places; of a path that does not exist, of the innermost ancestor that does."""

    def at(self, path: AttributePath) -> Span: ...

    def extent(self, path: AttributePath) -> Span: ...


class _Nowhere:
    def at(self, path: AttributePath) -> Span:
        return _NO_SPAN

    def extent(self, path: AttributePath) -> Span:
        return _NO_SPAN


class Template(Struct):
    """`value` is the top level's mapping, empty where there is none. Sections that are no mappings count as empty, and
    this is told."""

    path: str
    value: Mapping[str, Any]
    places: Places
    problems: list[Problem] = field(default_factory=list)
    _told: int = 0

    def section(self, name: str) -> Mapping[str, Any]:
        found = self.value.get(name)
        if isinstance(found, dict) and getattr(found, "tag", None) is None:
            return found
        return {}

    def transforms(self) -> list[str]:
        """The names of the transforms that the template asks for."""
        found = self.value.get("Transform")
        names = found if isinstance(found, list) else [found]
        names = [name.get("Name") if isinstance(name, dict) else name for name in names]
        return [str(name) for name in names if name]

    def location(self, path: AttributePath) -> Location:
        return Location(self.path, self.places.at(path))

    def tell(self, message: str, path: AttributePath, kind: ProblemKind = ProblemKind.LIMITED) -> None:
        self._told += 1
        if self._told <= _MAX_TOLD:
            self.problems.append(Problem(self.path, message, self.places.at(path), kind))
        elif self._told == _MAX_TOLD + 1:
            self.problems.append(Problem(self.path, "and more of the kind", None, ProblemKind.LIMITED))


def read_template(path: str, data: bytes) -> Template:
    """Never raises for what the file holds."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _read_json(path, data)
    return _check(_read_yaml(path, data))


def _read_json(path: str, data: bytes) -> Template:
    from policy_engine.yaml_text import decode
    from policy_engine_plugins.cloudformation.json_places import JsonPlaces, line_starts

    text, _ = decode(data)
    try:
        places = JsonPlaces(text)
    except RecursionError:
        return Template(path, {}, _Nowhere(), [Problem(path, "not read: it is nested too deeply", _NO_SPAN)])
    except json.JSONDecodeError as error:
        # YAML may begin with a brace, too, and forgives commas and comments.
        parsed = parse_yaml(data, path)
        if len(parsed.documents) == 1 and all(one.kind is ProblemKind.LIMITED for one in parsed.problems):
            return _check(_read_yaml(path, data))
        starts = line_starts(text)
        line = bisect_right(starts, error.pos)
        column = error.pos - starts[line - 1] + 1
        span = Span(line, column, line, column + 1)
        return Template(path, {}, _Nowhere(), [Problem(path, f"not valid JSON: {error.msg}", span)])
    template = Template(path, places.value if isinstance(places.value, dict) else {}, places)
    if places.repeated:
        for number, (key, span) in enumerate(places.repeated_keys()):
            if number >= _MAX_TOLD:
                break
            message = f"key '{key[:60]}' is given twice; the last one counts"
            template.problems.append(Problem(path, message, span, ProblemKind.LIMITED))
    return _check(template)


def _read_yaml(path: str, data: bytes) -> Template:
    parsed = parse_yaml(data, path, yaml_1_1=True)
    problems = list(parsed.problems)
    broken = [problem for problem in problems if problem.kind is not ProblemKind.LIMITED and problem.span]
    if broken and not parsed.documents:
        parsed, problems = _repair(data, path, problems)
    if len(parsed.documents) > 1:
        message = "a template is one document; the others of this file are not read"
        line, column = parsed.documents[1].mark[:2]
        lines = len(re.split(rb"\r\n|\r|\n", data))
        if line > lines:
            line, column = lines, 1  # an empty one, which the parser places behind the end of the file
        problems.append(Problem(path, message, Span(line, column, line, column + 1), ProblemKind.LIMITED))
    if not parsed.documents:
        return Template(path, {}, _Nowhere(), [_tell_rendered(problem, data) for problem in problems])
    document = parsed.documents[0]
    text = data.decode("utf-8-sig", "replace")
    if _LETTER.search(text):
        _restore_letters(document.value, re.split(r"\r\n|\r|\n", text))
    value = document.value if isinstance(document.value, dict) else {}
    return Template(path, value, document, [_tell_rendered(problem, data) for problem in problems])


def _check(template: Template) -> Template:
    for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Globals"):
        found = template.value.get(name)
        if found is not None and not isinstance(found, dict):
            template.tell(f"'{name}' is not a mapping, so nothing in it is seen", (name,), ProblemKind.NOT_UNDERSTOOD)
    # Where something is not understood, it may be what stood there.
    if "Resources" in template.value and template.value["Resources"] is None and not template.problems:
        template.tell("'Resources' holds nothing, and CloudFormation takes no such template", ("Resources",))
    return template


def _tell_rendered(problem: Problem, data: bytes) -> Problem:
    if problem.kind is ProblemKind.LIMITED or not (b"{{" in data or b"{%" in data):
        return problem
    found = problem.message.partition("; if this is a template")[0]
    message = f"looks like it has to be rendered by another tool before it is a template ({found})"
    return Problem(problem.path, message, problem.span, problem.kind)


def _repair(data: bytes, path: str, problems: list[Problem]) -> tuple[Any, list[Problem]]:
    """The file without the resources (or parameters, or the like) that are not valid YAML, each of them told. The
    entries of a section are told apart by their indentation, so that one that is broken does not hide the others."""
    parsed = parse_yaml(b"", path)
    if len(data) > _MAX_REPAIRED:
        return parsed, problems
    lines = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", data)
    for _ in range(_MAX_REPAIRS):
        problem = next(one for one in problems[::-1] if one.kind is not ProblemKind.LIMITED)
        # What is not closed is noticed further down than where it begins.
        began = _BEGAN.search(problem.message)
        line = int(began.group(1)) if began else problem.span.start_line if problem.span is not None else 0
        found = _entry_around(lines, line - 1)
        if found is None:
            break
        for number in range(*found):
            lines[number] = lines[number][len(lines[number].rstrip(b"\r\n")) :]  # its end alone
        parsed = parse_yaml(b"".join(lines), path, yaml_1_1=True)
        fresh = [one for one in parsed.problems if one not in problems]
        problems = [*problems, *fresh]
        if parsed.documents or not fresh:
            break
    return parsed, problems


def _entry_around(lines: list[bytes], line: int) -> tuple[int, int] | None:
    """The lines of the section's entry that a line belongs to: those as far in as the section's first one."""
    line = min(line, len(lines) - 1)
    while line >= 0 and not lines[line].strip():
        line -= 1
    top = line
    while top >= 0 and (_indent(lines[top]) != 0):
        top -= 1
    if top < 0 or top == line:
        return None
    depth = next((_indent(each) for each in lines[top + 1 :] if _indent(each) is not None), None)
    if not depth:
        return None
    start = line
    while start > top and _indent(lines[start]) != depth:
        start -= 1
    end = line + 1
    while end < len(lines):
        indent = _indent(lines[end])
        if indent is not None and indent <= depth:
            break
        end += 1
    return (start, end) if start > top else None


def _indent(line: bytes) -> int | None:
    """None for lines that say nothing."""
    bare = line.lstrip(b" ")
    if not bare.strip() or bare.startswith(b"#"):
        return None
    return len(line) - len(bare) if not bare.startswith(b"\t") else len(line)


def _restore_letters(root: Any, lines: list[str]) -> None:
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        entries: Any
        if type(node) is YamlMapping:
            entries = [(key, value, node.marks[key][1]) for key, value in node.items()]
        elif type(node) is YamlSequence:
            entries = [(index, value, node.marks[index]) for index, value in enumerate(node)]
        else:
            continue
        for key, value, mark in entries:
            if isinstance(value, bool) and mark[0] == mark[2] and mark[3] - mark[1] == 1:
                node[key] = lines[mark[0] - 1][mark[1] - 1]
            elif isinstance(value, (dict, list)):
                waiting.append(value)
