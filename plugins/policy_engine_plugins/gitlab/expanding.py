"""`extends` and `!reference`: what a job is once both are worked in."""

from __future__ import annotations

from typing import Any

from policy_engine.placed import Origin, Placed, PlacedList, find, origin_of
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlSequence
from policy_engine_plugins.gitlab.composing import Composer
from policy_engine_plugins.gitlab.merging import Budget, merge

MAX_EXTENDS = 11
"""GitLab takes no more levels of `extends`."""
MAX_REFERENCES = 10
"""Nor of references in references."""

Job = tuple[Any, Origin, "Unknown | None"]
"""A job's mapping, where it stands, and, where a part of it is defined elsewhere, what is not known about it."""


class Expander:
    def __init__(self, composer: Composer, root: Any, origin: Origin) -> None:
        self.composer = composer
        self.root = root
        self.origin = origin
        self._jobs: dict[str, Job] = {}
        self._references: dict[tuple[str, ...], tuple[Any, Origin]] = {}
        self._referring: dict[int, tuple[Any, bool]] = {}

    def job(self, name: str) -> Job:
        """The job with all that it extends and refers to."""
        value, origin, missing = self._extended(name, ())
        if self.composer.has_references and isinstance(value, dict):
            value, origin = self.resolved(value, origin)
        return value, origin, missing

    def _extended(self, name: str, chain: tuple[str, ...]) -> Job:
        known = self._jobs.get(name)
        if known is not None:
            return known
        value = self.root[name]
        origin = origin_of(self.root, self.origin, name)
        job: Job = (value, origin, None)
        if isinstance(value, dict) and "extends" in value:
            job = self._with_bases(name, value, origin, chain)
        if name not in chain:
            self._jobs[name] = job
        return job

    def _with_bases(self, name: str, value: Any, origin: Origin, chain: tuple[str, ...]) -> Job:
        place = origin_of(value, origin, "extends")
        written = value["extends"]
        missing: Unknown | None = None
        below: tuple[Any, Origin] = Placed(), origin
        for base in written if isinstance(written, list) else [written]:
            problem = None
            if isinstance(base, Unknown):
                missing = base if missing is None else missing
            elif not isinstance(base, str):
                problem = f"'{name}' extends something that is not a job's name"
            elif base == name or base in chain:
                problem = f"'{name}' extends itself through '{base}'"
            elif len(chain) >= MAX_EXTENDS:
                problem = f"'{name}' extends more than {MAX_EXTENDS} levels deep"
            elif base not in self.root:
                elsewhere = self.composer.elsewhere
                why = f"'{base}', which '{name}' extends, is not defined in the scanned files"
                missing = Unknown(why, place.location()) if missing is None else missing
                if elsewhere is None:
                    self.composer.tell(place, why)
            elif not isinstance(self.root[base], dict):
                problem = f"'{name}' extends '{base}', which is not a job"
            else:
                found, found_origin, lack = self._extended(base, (*chain, name))
                missing = lack if missing is None else missing
                below = merge(*below, found, found_origin, self.composer.budget, without="extends")
            if problem is not None:
                self.composer.tell(place, problem, ProblemKind.NOT_UNDERSTOOD)
                missing = Unknown(problem, place.location()) if missing is None else missing
        merged, merged_origin = merge(*below, value, origin, self.composer.budget)
        return merged, merged_origin, missing

    # --- !reference ---------------------------------------------------------------------------------------------------

    def resolved(self, value: Any, origin: Origin, depth: int = 0) -> tuple[Any, Origin]:
        """The value with every reference in it replaced by what it refers to; lists in lists are spliced."""
        if not self._refers(value):
            return value, origin
        if isinstance(value, dict):
            self.composer.budget.spend(len(value))
            result = Placed()
            result.put_all(value, origin)
            for key, item in value.items():
                if self._refers(item):
                    result.put(key, *self.resolved(item, result.origins[key], depth))
            return result, origin
        if type(value) is YamlSequence and value.tag == "!reference":
            return self._referred(value, origin, depth)
        self.composer.budget.spend(len(value))
        items = PlacedList()
        for number, item in enumerate(value):
            place = origin_of(value, origin, number)
            found, found_origin = self.resolved(item, place, depth)
            if type(item) is YamlSequence and item.tag == "!reference" and isinstance(found, list):
                self.composer.budget.spend(len(found))
                for index, each in enumerate(found):
                    items.put(each, origin_of(found, found_origin, index))
            else:
                items.put(found, found_origin)
        return items, origin

    def _refers(self, value: Any) -> bool:
        """Whether a reference stands anywhere in the value."""
        if type(value) is str or not isinstance(value, (dict, list)):
            return False
        known = self._referring.get(id(value))
        if known is not None:
            return known[1]
        refers = type(value) is YamlSequence and value.tag == "!reference"
        if not refers:
            for part in value.values() if isinstance(value, dict) else value:
                # Most parts are texts: they are told at a glance.
                if type(part) is not str and self._refers(part):
                    refers = True
                    break
        # Kept with its answer: an id means something only as long as the value is there.
        self._referring[id(value)] = value, refers
        return refers

    def _referred(self, path: YamlSequence, origin: Origin, depth: int) -> tuple[Any, Origin]:
        shown = ", ".join(str(step)[:60] for step in path[:5])
        if depth >= MAX_REFERENCES:
            return self._lost(f"!reference [{shown}] goes more than {MAX_REFERENCES} levels deep", origin, told=True)
        if not path or not all(isinstance(step, str) for step in path):
            return self._lost("a !reference lists the keys that lead to a value", origin, told=True)
        name = path[0]
        if name not in self.root:
            told = self.composer.elsewhere is None
            return self._lost(f"!reference [{shown}]: '{name}' is not defined in the scanned files", origin, told=told)
        if isinstance(self.root[name], dict) and "extends" in self.root[name]:
            start, start_origin, missing = self._extended(name, ())
        else:
            start, start_origin, missing = self.root[name], origin_of(self.root, self.origin, name), None
        found, found_origin, left = find(start, start_origin, tuple(path[1:]))
        if left:
            if missing is not None:
                return missing, origin
            told = self.composer.elsewhere is None
            return self._lost(f"!reference [{shown}]: there is no '{left[0]}'", origin, told=told)
        self.composer.budget.spend(1)
        key = tuple(path)
        if key not in self._references:
            self._references[key] = self.resolved(found, found_origin, depth + 1)
        return self._references[key]

    def _lost(self, message: str, origin: Origin, *, told: bool) -> tuple[Unknown, Origin]:
        if told:
            self.composer.tell(origin, message, ProblemKind.NOT_UNDERSTOOD)
        return Unknown(message, origin.location()), origin


def flattened(value: Any, origin: Origin, budget: Budget) -> tuple[list[Any], Origin]:
    """A script as a flat list of lines: a single text, a list, lists in lists as anchors make them."""
    if isinstance(value, list) and set(map(type, value)) <= {str}:
        # Nearly all scripts are flat as they are written.
        budget.spend(1 + len(value))
        return value, origin
    lines = PlacedList()
    waiting: list[tuple[Any, Origin]] = [(value, origin)]
    while waiting:
        item, place = waiting.pop()
        budget.spend(1)
        if isinstance(item, list):
            waiting.extend((item[i], origin_of(item, place, i)) for i in range(len(item) - 1, -1, -1))
        elif isinstance(item, (str, Unknown)):
            lines.put(item, place)
        elif isinstance(item, bool):
            lines.put("true" if item else "false", place)
        elif isinstance(item, (int, float)):
            lines.put(str(item), place)
    return lines, origin
