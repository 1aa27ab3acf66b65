"""Makes resources of a pipeline file and all that it includes."""

from __future__ import annotations

from typing import Any

from policy_engine.placed import Origin, origin_of
from policy_engine.resource import Resource
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab import include
from policy_engine_plugins.gitlab.composing import Composer
from policy_engine_plugins.gitlab.expanding import Expander
from policy_engine_plugins.gitlab.job import JobReader, Surroundings, inherited_by_jobs
from policy_engine_plugins.gitlab.merging import TooMuch
from policy_engine_plugins.gitlab.places import Part, Places
from policy_engine_plugins.gitlab.starting import Workflow
from policy_engine_plugins.gitlab.variables import value_of

NOT_JOBS = frozenset(
    {
        *("default", "include", "stages", "types", "variables", "workflow", "spec"),
        *("image", "services", "cache", "before_script", "after_script"),
    }
)
SETS_NO_DEFAULTS = ("template", "component", "artifact")
"""What these bring are jobs; the others may also hold settings that all jobs take over."""


def load(unit: Unit, tree: Tree) -> Loaded:
    composer = Composer(tree, unit.paths)
    pipeline = _Pipeline(composer, unit.name)
    try:
        pipeline.read()
    except TooMuch:
        message = "the pipeline comes to too much once everything in it is worked out; the rest of it is not evaluated"
        composer.tell_path(unit.name, message, ProblemKind.NOT_UNDERSTOOD)
    return Loaded(pipeline.resources, _distinct(composer.problems))


def _distinct(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


class _Pipeline:
    def __init__(self, composer: Composer, path: str) -> None:
        self.composer = composer
        self.path = path
        self.file = path.rpartition("/")[2]
        self.resources: list[Resource] = []
        self._addresses: dict[str, int] = {}

    def read(self) -> None:
        composed = self.composer.compose(self.path)
        if composed is not None and isinstance(composed[0], dict):
            self._pipeline(*composed)
        for entry in self.composer.includes:
            self._include(entry)

    def _pipeline(self, root: dict[str, Any], origin: Origin) -> None:
        composer = self.composer
        expander = Expander(composer, root, origin)
        shared: dict[str, Part] = {}
        for key in ("default", "variables", "workflow", "stages"):
            found, place = root.get(key), origin_of(root, origin, key) if key in root else origin
            if composer.has_references and found is not None:
                found, place = expander.resolved(found, place)
            shared[key] = Part(found, place)
        variables, workflow = shared["variables"].value, shared["workflow"].value
        jobs: dict[str, Any] = {}
        value: dict[str, Any] = {
            "stages": shared["stages"].value,
            "workflow": workflow,
            "default": shared["default"].value,
            "variables": {name: value_of(entry) for name, entry in variables.items()}
            if isinstance(variables, dict)
            else variables,
            "jobs": jobs,
            "open": composer.elsewhere is not None,
            "file": self.file,
        }
        places = Places(Part(root, origin), shared)
        location, extent = origin.location(), origin.extent
        self.resources.append(Resource("gitlab", "pipeline", self.file, self.file, value, location, places, extent))
        around = Surroundings(
            file=self.file,
            # Without its jobs, which hold it: nothing would let go of what holds itself.
            value={key: item for key, item in value.items() if key != "jobs"},
            places=places,
            inherited=inherited_by_jobs(shared["default"], Part(root, origin)),
            variables=shared["variables"],
            workflow=Workflow(workflow["rules"]) if isinstance(workflow, dict) and "rules" in workflow else None,
            changed=_set_by_workflow(workflow),
            lacking=self._lacking(),
            uses=composer.uses,
            budget=composer.budget,
        )
        for name in root:
            if name not in NOT_JOBS and not name.startswith("."):
                self._job(name, root, origin, expander, around, jobs)

    def _job(
        self,
        name: str,
        root: dict[str, Any],
        origin: Origin,
        expander: Expander,
        around: Surroundings,
        jobs: dict[str, Any],
    ) -> None:
        place = origin_of(root, origin, name)
        if not isinstance(root[name], dict):
            if not isinstance(root[name], Unknown):
                self.composer.tell(place, f"job '{name[:100]}' is not a mapping", ProblemKind.NOT_UNDERSTOOD)
            return
        value, place, missing = expander.job(name)
        if not isinstance(value, dict):
            return
        if missing is None and value.keys().isdisjoint(("script", "run", "trigger")):
            elsewhere = self.composer.elsewhere
            if elsewhere is not None:
                missing = Unknown(f"'{name}' is defined in a file that is not here", elsewhere.origin.location())
            elif self.file in (".gitlab-ci.yml", ".gitlab-ci.yaml"):
                message = f"job '{name[:100]}' has neither 'script' nor 'trigger'"
                self.composer.tell(place, message, ProblemKind.NOT_UNDERSTOOD)
            else:
                missing = Unknown(f"the file that includes this one completes '{name}'")
        reader = JobReader(name, value, place, missing, around)
        jobs[name] = reader.read()
        self.resources.extend(reader.resources)
        trigger = value.get("trigger")
        if isinstance(trigger, dict) and "include" in trigger:
            where = origin_of(trigger, origin_of(value, place, "trigger"), "include")
            for entry in include.entries(trigger["include"], where, child=True):
                self._include(entry)

    def _include(self, entry: include.Entry) -> None:
        if isinstance(entry.target, Unknown) and not entry.kind:
            return
        value = include.described(entry)
        address = f"{self.file}/include/{value['name']}"
        count = self._addresses[address] = self._addresses.get(address, 0) + 1
        address = address if count == 1 else f"{address}#{count}"
        whole = Part(entry.raw, entry.whole)
        target = Part(None, entry.origin)
        pin = target
        if entry.kind == "project" and isinstance(entry.raw, dict) and "ref" in entry.raw:
            pin = Part(None, origin_of(entry.raw, entry.whole, "ref"))
        renamed = {"pin": pin, "kind": target, "name": target, "encrypted": target, entry.kind: target}
        location, extent, places = entry.origin.location(), entry.whole.extent, Places(whole, renamed)
        self.resources.append(Resource("gitlab", "include", address, value["name"], value, location, places, extent))

    def _lacking(self) -> Unknown | None:
        for entry in self.composer.includes:
            if entry.kind in SETS_NO_DEFAULTS:
                continue
            if entry is self.composer.elsewhere or entry.kind in ("project", "remote", ""):
                name = str(entry.target)[:80] if not isinstance(entry.target, Unknown) else "an included file"
                return Unknown(f"'{name}', which is not in this repository, may set it", entry.origin.location())
        return None


def _set_by_workflow(workflow: Any) -> frozenset[str]:
    rules = workflow.get("rules") if isinstance(workflow, dict) else None
    names: set[str] = set()
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict) and isinstance(rule.get("variables"), dict):
            names.update(rule["variables"])
    return frozenset(names)
