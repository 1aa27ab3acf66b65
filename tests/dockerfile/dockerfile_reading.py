"""Helpers for the tests of the Dockerfile format."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Span
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine_plugins.dockerfile import DockerfileFormat
from policy_engine_plugins.dockerfile.instruction import Instruction, read_instruction
from policy_engine_plugins.dockerfile.lexical import cut as cut_lines

FORMAT = DockerfileFormat()


def load(text: str | bytes, path: str = "Dockerfile") -> Loaded:
    data = text.encode() if isinstance(text, str) else text
    return FORMAT.load(Unit("dockerfile", path, (path,)), MemoryTree({path: data}))


def resources(text: str) -> list[Resource]:
    """Of a Dockerfile that is understood throughout."""
    loaded = load(text)
    assert list(loaded.problems) == []
    assert len({resource.address for resource in loaded.resources}) == len(loaded.resources), "addresses are unique"
    return list(loaded.resources)


def of_type(text: str, kind: str) -> list[Resource]:
    return [resource for resource in resources(text) if resource.type == kind]


def only(text: str, kind: str) -> Resource:
    (found,) = of_type(text, kind)
    return found


def stage(text: str, name: str) -> dict[str, Any]:
    """The value of a stage by its label."""
    (found,) = (resource for resource in of_type(text, "stage") if resource.name == name)
    return dict(found.value)


@lru_cache(maxsize=4)
def line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]


def cut(text: str, span: Span) -> str:
    starts = line_starts(text)
    return text[starts[span.start_line - 1] + span.start_column - 1 : starts[span.end_line - 1] + span.end_column - 1]


def shown(text: str, resource: Resource, *path: str | int) -> str:
    """What a finding at `path` shows of the source."""
    return cut(text, resource.locate(path).location.span)


def instructions(text: str) -> list[Instruction]:
    lines = cut_lines(text)
    return [read_instruction(line, lines.escape) for line in lines.lines]
