"""Workflow files: the workflow, its jobs, their steps and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location
from policy_engine.unit import Problem
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlDocument, YamlMapping, YamlSequence
from policy_engine_plugins.github.called import Callees
from policy_engine_plugins.github.evaluate import evaluate, to_text
from policy_engine_plugins.github.job_facts import add_facts
from policy_engine_plugins.github.permissions import grants, token
from policy_engine_plugins.github.places import Places
from policy_engine_plugins.github.reference import action_reference, image_reference
from policy_engine_plugins.github.source import Source
from policy_engine_plugins.github.steps import add_callee, read_steps
from policy_engine_plugins.github.template import OPEN, split
from policy_engine_plugins.github.values import Found, Reader


class WorkflowReader:
    def __init__(self, document: YamlDocument, source: Source, callees: Callees) -> None:
        self.document = document
        self.callees = callees
        self.reader = Reader(document, source)
        self.file = document.path.rpartition("/")[2]
        self.root: YamlMapping = document.value
        self.resources: list[Resource] = []

    @property
    def problems(self) -> list[Problem]:
        return self.reader.problems

    def read(self) -> list[Resource]:
        root = self.root
        value: dict[str, Any] = {
            key: self.reader.value(item, (key,), root.marks[key][1])
            for key, item in root.items()
            if key not in ("jobs", "on", "if")
        }
        value["on"] = self._triggers(root.get("on"))
        value["grants"] = grants(value.get("permissions"), root.get("permissions"), self.reader.source)
        value["token"] = token(value.get("permissions"), declared="permissions" in root)
        own = list(self.reader.expressions)
        value["expressions"] = [each.described(()) for each in own]
        token_place: AttributePath = ("permissions",) if "permissions" in root else ()
        items = {"grants": _scopes(root, ("permissions",))}
        places = Places(
            self.document, (), {"token": token_place, "grants": token_place}, {}, [each.span for each in own], items
        )
        name = value.get("name")
        self._add("workflow", self.file, name if isinstance(name, str) else self.file, value, (), places)
        jobs = root.get("jobs")
        if type(jobs) is not YamlMapping:
            self._wrong(("jobs",), "a workflow needs 'jobs', a mapping of jobs")
            return self.resources
        value["jobs"] = listed = {}
        for job_id, job in jobs.items():
            if type(job) is not YamlMapping:
                self._wrong(("jobs", job_id), f"job '{job_id}' is not a mapping")
                continue
            listed[job_id] = self._job(job_id, job, value, places)
        return self.resources

    def _triggers(self, on: Any) -> Any:
        """`on` in one form: trigger to its settings."""
        if isinstance(on, str):
            return Unknown(f"depends on {on}") if OPEN in on else {on: {}}
        if type(on) is YamlSequence:
            return {str(each): {} for each in on if isinstance(each, str)}
        if type(on) is YamlMapping:
            marks = on.marks
            return {
                name: {} if config is None else self.reader.value(config, ("on", name), marks[name][1])
                for name, config in on.items()
            }
        self._wrong(("on",), "a workflow needs 'on', the events that start it")
        return {}

    def _job(self, job_id: str, job: YamlMapping, workflow: dict[str, Any], above: Places) -> dict[str, Any]:
        base: AttributePath = ("jobs", job_id)
        before = len(self.reader.expressions)
        value = {
            key: self.reader.value(item, (*base, key), job.marks[key][1]) for key, item in job.items() if key != "steps"
        }
        found = self.reader.expressions[before:]
        own_token = "permissions" in job
        value["id"] = job_id
        value["workflow"] = workflow
        if own_token:
            value["grants"] = grants(value.get("permissions"), job.get("permissions"), self.reader.source)
            value["token"] = token(value.get("permissions"), declared=True)
        else:
            value["token"] = workflow["token"]
        value["runner"] = _runner(job.get("runs-on"), value.get("runs-on"), value.get("strategy"))
        value["expressions"] = [each.described(base) for each in found]
        if "uses" in value:
            value["call"] = action_reference(value["uses"], self.reader.source.comment_after(job.marks["uses"][1]))
            add_callee(value, value["call"], self.callees)
        renamed: dict[str, AttributePath] = {
            "id": base,
            "runner": (*base, "runs-on"),
            "call": (*base, "uses"),
            "callee": (*base, "uses"),
            "grants": (*base, "permissions"),
            "token": (*base, "permissions") if own_token else above.renamed["token"] or base,
        }
        items = {"grants": _scopes(job, (*base, "permissions"))}
        places = Places(self.document, base, renamed, {"workflow": above}, [each.span for each in found], items)
        address = f"{self.file}/jobs/{job_id}"
        name = value.get("name")
        self._add("job", address, name if isinstance(name, str) else job_id, value, base, places)
        self._images(value, job, base, address, places, found)
        context = {"job": value, "workflow": workflow, "composite": False}
        parents = {"job": places, "workflow": above}
        steps = read_steps(self.reader, job.get("steps"), (*base, "steps"), address, context, parents, self.callees)
        value["steps"] = [step.value for step in steps]
        add_facts(value, workflow["on"])
        self.resources.extend(steps)
        return value

    def _images(
        self,
        value: dict[str, Any],
        job: YamlMapping,
        base: AttributePath,
        address: str,
        above: Places,
        expressions: Sequence[Found],
    ) -> None:
        wanted: list[tuple[AttributePath, str, Any, Any]] = []
        if "container" in job:
            wanted.append((("container",), "container", value["container"], job["container"]))
        if type(job.get("services")) is YamlMapping:
            wanted.extend(
                (("services", name), f"services/{name}", value["services"][name], service)
                for name, service in job["services"].items()
            )
        for path, label, known, raw in wanted:
            whole = type(raw) is YamlMapping
            settings = dict(known) if whole else {"image": known}
            if "image" not in settings:
                continue
            name = settings["image"] if isinstance(settings["image"], str) else label
            settings["image"] = image_reference(settings["image"])
            at = (*base, *path)
            own = [each for each in expressions if each.path[: len(at)] == at]
            settings |= {"job": value, "workflow": value["workflow"], "expressions": [e.described(at) for e in own]}
            renamed: dict[str, AttributePath] = {"image": (*at, "image") if whole else at}
            parents = {"job": above, "workflow": above.parents["workflow"]}
            places = Places(self.document, at, renamed, parents, [each.span for each in own])
            self._add("image", f"{address}/{label}", name, settings, at, places)

    def _add(
        self, kind: str, address: str, name: str, value: Mapping[str, Any], base: AttributePath, places: Places
    ) -> None:
        path = self.document.path
        header, extent = self.document.at(base), self.document.extent(base)
        self.resources.append(
            Resource("github", kind, address, name, value, Location(path, header), places, Location(path, extent))
        )

    def _wrong(self, path: AttributePath, message: str) -> None:
        self.problems.append(Problem(self.document.path, message, self.document.at(path)))


def _scopes(owner: YamlMapping, base: AttributePath) -> list[AttributePath]:
    scopes = owner.get("permissions")
    return [(*base, name) for name in scopes] if type(scopes) is YamlMapping else []


def _runner(written: Any, runs_on: Any, strategy: Any) -> Any:
    """The labels of the runner as a list; every value of a literal matrix that they name; else unknown."""
    if isinstance(written, str) and OPEN in written:
        return _expanded(written, strategy) or runs_on
    if isinstance(runs_on, str):
        return [runs_on]
    if isinstance(runs_on, list):
        return runs_on
    if isinstance(runs_on, dict):
        labels = runs_on.get("labels")
        return labels if isinstance(labels, (list, Unknown)) else [labels] if labels is not None else []
    return runs_on if isinstance(runs_on, Unknown) else []


def _expanded(text: str, strategy: Any) -> list[Any] | None:
    parts, faults = split(text)
    combinations = _combinations(strategy.get("matrix")) if isinstance(strategy, dict) else None
    if faults or not combinations:
        return None
    labels: dict[str, None] = {}
    for combination in combinations:
        pieces = [part.text if part.node is None else evaluate(part.node, {"matrix": combination}) for part in parts]
        if any(isinstance(piece, (Unknown, dict, list)) for piece in pieces):
            return None
        labels["".join(map(to_text, pieces))] = None
    return [label for label in labels if label] or None


def _combinations(matrix: Any) -> list[dict[str, Any]] | None:
    """Values of a literal matrix, one axis at a time: enough to know every label that can come up."""
    if not isinstance(matrix, dict):
        return None
    found: list[dict[str, Any]] = []
    axes = {key: values for key, values in matrix.items() if key not in ("include", "exclude")}
    if any(not isinstance(values, list) or any(isinstance(v, Unknown) for v in values) for values in axes.values()):
        return None
    for key, values in axes.items():
        found.extend({**{k: v[0] for k, v in axes.items() if v}, key: value} for value in values)
    include = matrix.get("include", [])
    if not isinstance(include, list):
        return None
    found.extend({**({k: v[0] for k, v in axes.items() if v}), **each} for each in include if isinstance(each, dict))
    return found
