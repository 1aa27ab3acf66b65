"""Reads a Dockerfile into resources: stages, instructions, and the file as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policy_engine.resource import Resource
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.dockerfile.context import ignore_file, whole_context
from policy_engine_plugins.dockerfile.image import image_value, user_of
from policy_engine_plugins.dockerfile.instruction import KEYWORDS, Instruction, read_instruction
from policy_engine_plugins.dockerfile.lexical import Line, Source, cut, decode
from policy_engine_plugins.dockerfile.places import Places
from policy_engine_plugins.dockerfile.reading import Reading
from policy_engine_plugins.dockerfile.scope import Scope
from policy_engine_plugins.dockerfile.stage import Stage

FORMAT = "dockerfile"
_MAX_TOLD = 100
_MAX_STAGES = 500


def load(unit: Unit, tree: Tree) -> Loaded:
    path = unit.paths[0]
    text, broken = decode(tree.read(path))
    loader = _Loader(Source(path, text), lambda: ignore_file(path, tree) is not None)
    if broken is not None:
        loader.tell("a byte that is not UTF-8", broken, broken + 1)
    loader.load()
    return Loaded(loader.resources, loader.problems)


class _Loader:
    """One file on its way to resources."""

    def __init__(self, source: Source, filtered: Callable[[], bool]) -> None:
        self.source = source
        self.filtered = filtered
        self.resources: list[Resource] = []
        self.problems: list[Problem] = []
        self.stages: list[Stage] = []
        self.outer = Scope(closed=True, platforms=True)
        self.addresses: dict[str, int] = {}
        self.untold = 0

    def load(self) -> None:
        lines = cut(self.source.text)
        for message, start, end in lines.faults:
            self.tell(message, start, end)
        first = lines.lines[0].start if lines.lines else 0
        header = self.source.location(first, self.source.line_end(first))
        whole: dict[str, Any] = {"escape": lines.escape, "stages": [], "args": self.outer.args}
        places = Places(self.source, header)
        for name, (value, start, end) in lines.directives.items():
            whole[name] = value
            places.known[(name,)] = (start, end)
        for line in lines.lines:
            self.line(line, lines.escape)
        for stage in self.stages:
            stage.value["final"] = stage is self.stages[-1]
            stage.value["shipped"] = False
            whole["stages"].append(stage.value)
        below: Stage | None = self.stages[-1] if self.stages else None
        while below is not None:
            below.value["shipped"] = True
            below = below.parent
        if not self.stages:
            self.tell("there is no FROM, so nothing is built", first, self.source.line_end(first))
        if self.untold:
            message = f"{self.untold} more instructions are not understood"
            self.problems.append(Problem(self.source.path, message))
        extent = self.source.location(0, len(self.source.text))
        name = self.source.path.rpartition("/")[2]
        stages = [stage.resource() for stage in self.stages]
        self.resources[:0] = [
            Resource(FORMAT, "dockerfile", "dockerfile", name, whole, header, places, extent),
            *stages,
        ]

    def tell(self, message: str, start: int, end: int, kind: ProblemKind = ProblemKind.NOT_UNDERSTOOD) -> None:
        if len(self.problems) >= _MAX_TOLD:
            self.untold += 1
            return
        self.problems.append(Problem(self.source.path, message, self.source.span(start, end), kind))

    def tell_in(self, line: Line, fault: tuple[str, int, int]) -> None:
        message, start, end = fault
        self.tell(message, *line.text.place(start, max(end, start + 1)))

    def line(self, line: Line, escape: str) -> None:
        if line.fault is not None:
            self.tell(*line.fault)
        found = read_instruction(line, escape)
        keyword = found.keyword
        if keyword not in KEYWORDS:
            written = line.text.text[found.start : found.start + len(keyword)]
            if written.startswith(("{%", "{{", "<%")):
                message = "looks like a template, which has to be rendered before it can be scanned"
            else:
                message = f"unknown instruction '{written[:60]}'"
            self.tell_in(line, (message, found.start, found.start + len(keyword)))
            return
        fault = found.fault or (found.inner.fault if found.inner is not None else None)
        if fault is not None:
            self.tell_in(line, fault)
            if keyword == "FROM":
                # What follows belongs to a stage all the same.
                self.stage(found, escape)
            return
        if keyword == "FROM":
            self.stage(found, escape)
        elif keyword == "ARG" and not self.stages:
            self.instruction(found, None, escape, onbuild=False)
        elif not self.stages:
            self.tell_in(line, (f"{keyword} stands before the first FROM", found.start, found.start + len(keyword)))
        elif found.inner is not None:
            self.instruction(found.inner, self.stages[-1], escape, onbuild=True)
        else:
            self.instruction(found, self.stages[-1], escape, onbuild=False)

    def stage(self, found: Instruction, escape: str) -> None:
        if len(self.stages) >= _MAX_STAGES:
            self.tell_in(found.line, (f"more than {_MAX_STAGES} stages", found.start, found.start + 4))
            return
        words = found.words
        name = None
        if len(words) == 3 and words[1].text.upper() == "AS":
            name = words[2]
        elif len(words) != 1 and found.fault is None:
            message = "FROM wants an image, and may go on with AS and a name"
            self.tell_in(found.line, (message, found.start, found.rest.end))
        reading = Reading(self.source, found, self.outer, escape)
        reference: str | Unknown = Unknown("the image cannot be read")
        if words:
            reference = reading.expand(words[0])
        for fault in reading.faults:
            self.tell_in(found.line, fault)
        parent = None
        if isinstance(reference, str):
            parent = next((each for each in self.stages if each.name and each.name.lower() == reference.lower()), None)
            if not reference:
                reference = Unknown("no image is named")
        image = image_value(reference)
        if parent is not None:
            image = {"reference": reference, "stage": parent.label, "scratch": False}
        index = len(self.stages)
        header = self.source.location(*reading.header())
        value: dict[str, Any] = {"index": index, "image": image if parent is None else parent.value["image"]}
        places = Places(self.source, header)
        label = str(index)
        if name is not None:
            label = name.text
            value["name"] = label
            places.known[("name",)] = reading.place(name)
        if parent is not None:
            value["base"] = parent.label
        scope = Scope()
        if parent is not None:
            scope.env = dict(parent.scope.env)
            scope.closed = parent.scope.closed
        else:
            scope.closed = image["scratch"] is True
        stage = Stage(self.source, value, places, scope, label, name.text if name else None, self.unique(label))
        stage.extent = (found.line.start, found.line.end)
        if words:
            stage.set(("image",), None, reading.place(words[0]), reading.via())
            stage.set(("base",), None, reading.place(words[0]), ())
        if parent is not None:
            stage.parent = parent
            stage.inherit(parent)
        else:
            user = Unknown("the image cannot be read") if not words else user_of(image)
            if user is not None:
                value["user"] = user
        self.stages.append(stage)
        own: dict[str, Any] = {"image": image, "stage": value}
        if name is not None:
            own["name"] = name.text
        known: dict[Any, Any] = {("image",): reading.place(words[0])} if words else {}
        via = {("image",): reading.via()}
        if name is not None:
            known[("name",)] = reading.place(name)
        self.emit(reading, "from", own, known, via, stage, f"{stage.address}/from", onbuild=False)
        if "platform" in own:
            value["platform"] = own["platform"]

    def instruction(self, found: Instruction, stage: Stage | None, escape: str, *, onbuild: bool) -> None:
        scope = self.outer if stage is None else stage.scope
        if onbuild:
            # It is filled in by the build of another image, on top of this one.
            scope = Scope()
        reading = Reading(self.source, found, scope, escape, self.outer)
        own, known, via, key = reading.read(self.stages, onbuild=onbuild)
        for fault in reading.faults:
            self.tell_in(found.line, fault)
        if stage is not None:
            stage.extent = (stage.extent[0], found.line.end)
            own["stage"] = stage.value
            if "user" not in own and "user" in stage.value:
                own["user"] = stage.value["user"]
            if found.keyword == "WORKDIR":
                own["from_base"] = stage.goes_on_from_base(own["path"])
            elif "destination" in own:
                own["from_base"] = stage.goes_on_from_base(own["destination"])
                whole = False if "stage_from" in own or "image" in own else whole_context(own["sources"])
                if whole is not False:
                    own["context_filtered"] = self.filtered() or (False if whole is True else whole)
            if not onbuild:
                stage.apply(found.keyword, own, known, via)
                stage.value["instructions"].append(found.keyword.lower())
        elif found.keyword == "ARG":
            own["global"] = True
        prefix = "" if stage is None else f"{stage.address}/"
        prefix += "onbuild/" if onbuild else ""
        address = f"{prefix}{found.keyword.lower()}" + (f"/{key}" if key else "")
        self.emit(reading, found.keyword.lower(), own, known, via, stage, address, onbuild=onbuild)

    def emit(
        self,
        reading: Reading,
        kind: str,
        own: dict[str, Any],
        known: dict[Any, Any],
        via: dict[Any, Any],
        stage: Stage | None,
        address: str,
        *,
        onbuild: bool,
    ) -> None:
        found = reading.instruction
        own["onbuild"] = onbuild
        own["text"] = found.rest.text
        reading.flags(own, known)
        header = self.source.location(*reading.header())
        commands = getattr(own, "commands", None)
        parents = {} if stage is None else {"stage": stage.places}
        places = Places(self.source, header, known, via, parents, commands)
        extent = self.source.location(found.line.start, found.line.end)
        shown = " ".join(found.rest.text[:60].split())
        name = f"{found.keyword} {shown}" if len(shown) <= 40 else f"{found.keyword} {shown[:37]}..."
        self.resources.append(Resource(FORMAT, kind, self.unique(address), name, own, header, places, extent))

    def unique(self, address: str) -> str:
        """Instructions that begin alike are told apart by their order."""
        count = self.addresses.get(address, 0) + 1
        self.addresses[address] = count
        return address if count == 1 else f"{address}#{count}"
