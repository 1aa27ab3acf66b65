"""What an expression sees: its stack, and the loop variables around it. And what all stacks of a unit share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from policy_engine.errors import PolicyEngineError
from policy_engine.tree import Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine_plugins.cloudformation.template import Template, read_template

if TYPE_CHECKING:
    from policy_engine_plugins.cloudformation.stack import Stack

MAX_STEPS = 2_000_000
"""Values that one unit may evaluate: loops, aliases and nested stacks multiply what is written."""
MAX_STACKS = 200
MAX_NESTING = 10


class Workspace(Struct):
    """One root template with all that it nests."""

    tree: Tree
    steps: int = MAX_STEPS
    stacks: int = 0
    templates: dict[str, Template | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def template(self, path: str) -> Template | None:
        """A nested template; None where there is none that can be read."""
        if path not in self.templates:
            try:
                data = self.tree.read(path)
            except (OSError, PolicyEngineError):
                self.templates[path] = None
            else:
                template = self.templates[path] = read_template(path, data)
                # One list from here on: what evaluation tells about the template joins what reading it told.
                self.problems.extend(template.problems)
                template.problems = self.problems
        return self.templates[path]

    def spend(self, steps: int) -> bool:
        """Whether there is work left to give."""
        self.steps -= steps
        return self.steps > 0

    def tell(self, path: str, message: str, kind: ProblemKind) -> None:
        self.problems.append(Problem(path, message, None, kind))


class Scope(Struct, frozen=True, eq=False):
    """`bindings` are the values of loop variables by their names; None where there is no loop around, as is usual."""

    stack: Stack
    bindings: Mapping[str, str] | None = None
