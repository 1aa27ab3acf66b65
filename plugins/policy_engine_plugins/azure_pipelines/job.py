"""Jobs: where they run, what they deploy to, and their steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from policy_engine.placed import Origin, Placed, origin_of
from policy_engine.resource import Resource
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.expanding import Piece
from policy_engine_plugins.azure_pipelines.places import Part, Places
from policy_engine_plugins.azure_pipelines.scope import Scope
from policy_engine_plugins.azure_pipelines.security import is_security_name
from policy_engine_plugins.azure_pipelines.step import SCRIPTED, StepReader, fetched_secrets, key_of
from policy_engine_plugins.azure_pipelines.variables import expand

if TYPE_CHECKING:
    from policy_engine_plugins.azure_pipelines.pipeline import PipelineReader, Variables

_PRODUCTION = re.compile(r"(?i)(?:^|[^a-z])(?:prod|prd|production|live)(?:$|[^a-z])")
_BEFORE_PRODUCTION = re.compile(r"(?i)(?:^|[^a-z])(?:non|pre)[-_ ]?pro?d")
_HOSTED = re.compile(r"(?i)azure pipelines|hosted.*")
HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic", "on", "success", "failure")
STEP_PARTS = 50
"""What a step counts for: it is a resource, and judged."""
STRATEGIES = ("runOnce", "rolling", "canary")


class Above(Struct, frozen=True):
    """What a job stands in: the pipeline, its stage, and what it takes over from them."""

    file: str
    pipeline: dict[str, Any]
    pipeline_places: Places
    stage: dict[str, Any]
    own: Placed
    origin: Origin
    containers: frozenset[str]
    variables: Variables
    prefix: str = ""
    pool: Part | None = None
    stage_places: Places | None = None

    def with_stage(
        self, name: str, stage: dict[str, Any], own: Placed, origin: Origin, places: Places, variables: Variables
    ) -> Above:
        pool = Part(own["pool"], own.origins["pool"]) if "pool" in own else self.inherited("pool")
        known = replace(variables, known={**self.variables.known, **variables.known})
        return replace(
            self,
            stage=stage,
            own=own,
            origin=origin,
            prefix=f"{name}/",
            pool=pool,
            stage_places=places,
            variables=known,
        )

    def inherited(self, key: str) -> Part | None:
        if key == "pool" and self.pool is not None:
            return self.pool
        return Part(self.own[key], self.own.origins[key]) if key in self.own and not self.prefix else None


class JobReader:
    def __init__(
        self, pipeline: PipelineReader, part: Part, above: Above, jobs: dict[str, Any], *, job_id: str, kind: str
    ) -> None:
        self.pipeline = pipeline
        self.part = part
        self.above = above
        self.jobs = jobs
        self.id = job_id
        self.kind = kind

    def read(self, fields: Mapping[str, list[Piece]], scope: Scope) -> None:
        pipeline, above = self.pipeline, self.above
        variables = pipeline.variables(fields.get("variables", []))
        scope = scope.with_variables({**above.variables.known, **variables.known})
        value, own = pipeline.plain(fields, scope, ("variables", "steps", "strategy"))
        if self.part.value is not None:
            # Steps without a job: the pipeline is the job.
            own = self.part.value
            value = {key: own[key] for key in own if key not in ("variables", "resources", "trigger", "pr", "name")}
        strategy = fields.get("strategy", [])
        renamed: dict[str, Part] = {}
        value |= {
            "id": self.id or "job",
            "kind": self.kind,
            "pipeline": above.pipeline,
            "variables": dict(variables.written),
            "security": is_security_name(self.id) or is_security_name(str(own.get("displayName", ""))),
        }
        renamed["variables"] = Part(variables.written, self.part.origin)
        if above.prefix:
            value["stage"] = above.stage
        self._pool(value, own, renamed, scope)
        self._environment(value, own, renamed, scope)
        timeout = own.get("timeoutInMinutes")
        value["timeout_minutes"] = expand(timeout, scope.variables)
        if "timeoutInMinutes" in own:
            renamed["timeout_minutes"] = Part(None, own.origins["timeoutInMinutes"])
        parents = {"pipeline": above.pipeline_places}
        if above.stage_places is not None:
            parents["stage"] = above.stage_places
        places = Places(Part(own, self.part.origin), renamed, parents)
        name = f"{above.prefix}{self.id or 'job'}"
        address = f"{above.file}/jobs/{name}"
        shown = self.id or above.file
        self.jobs.setdefault(name, value)
        pipeline.add("job", address, shown, value, places, self.part.origin)
        self._images(value, own, address, places, scope)
        steps: list[Any] = []
        value["steps"] = steps
        windows = str(value.get("vm_image", "")).lower().startswith(("win", "vs20"))
        self.fetched: set[str] = set()
        job_places = {"job": places, "pipeline": above.pipeline_places}
        for piece in self._step_pieces(fields, strategy, scope):
            self._step(piece, address, value, job_places, steps, scope, windows=windows)

    def _pool(self, value: dict[str, Any], own: Placed, renamed: dict[str, Part], scope: Scope) -> None:
        part = Part(own["pool"], own.origins["pool"]) if "pool" in own else self.above.inherited("pool")
        given = part.value if part is not None else None
        pool: Any = given
        if isinstance(given, str):
            pool = {"name": given}
        if isinstance(pool, dict):
            pool = {key: expand(item, scope.variables) for key, item in pool.items()}
            value["vm_image"] = pool.get("vmImage")
        elif isinstance(pool, Unknown):
            value["vm_image"] = pool
        value["pool"] = pool
        value["self_hosted"] = _self_hosted(pool)
        if part is not None:
            renamed["pool"] = part
            image = Part(None, origin_of(part.value, part.origin, "vmImage"))
            written = isinstance(part.value, dict) and "vmImage" in part.value
            renamed["vm_image"] = image if written else Part(None, part.origin)
            named = isinstance(part.value, dict) and "name" in part.value
            renamed["self_hosted"] = Part(None, origin_of(part.value, part.origin, "name") if named else part.origin)

    def _environment(self, value: dict[str, Any], own: Placed, renamed: dict[str, Part], scope: Scope) -> None:
        given = own.get("environment")
        settings: Any = given
        if isinstance(given, dict):
            settings = {**given, "name": expand(given.get("name"), scope.variables)}
        elif isinstance(given, str):
            settings = {"name": expand(given, scope.variables)}
        if "environment" in own:
            value["environment"] = settings
            if not isinstance(given, dict):
                renamed["environment"] = Part(None, own.origins["environment"])
        value["deploys"] = self.kind == "deployment"
        value["production"] = False
        if isinstance(settings, Unknown):
            value["production"] = settings
        elif isinstance(settings, dict) and settings.get("name") is not None:
            name = settings["name"]
            if isinstance(name, Unknown):
                value["production"] = name
            else:
                name = str(name)
                before = _BEFORE_PRODUCTION.search(name) is not None
                value["production"] = _PRODUCTION.search(name) is not None and not before
        for key, stands_for in (("deploys", self.kind), ("production", "environment")):
            if stands_for in own:
                renamed[key] = Part(None, own.origins[stands_for])

    def _images(self, value: dict[str, Any], own: Placed, address: str, places: Places, scope: Scope) -> None:
        parents = {"job": places, "pipeline": self.above.pipeline_places}
        wanted: list[tuple[str, str, Any, Origin]] = []
        container = Part(own["container"], own.origins["container"]) if "container" in own else None
        if container is not None and not (
            isinstance(container.value, str) and container.value in self.above.containers
        ):
            wanted.append(("container", "job", container.value, container.origin))
        services = own.get("services")
        if isinstance(services, dict):
            base = own.origins["services"]
            wanted.extend(
                (f"services/{name}", "service", service, origin_of(services, base, name))
                for name, service in services.items()
                if not (isinstance(service, str) and service in self.above.containers)
            )
        for label, role, given, origin in wanted:
            if given is None or (isinstance(given, dict) and "image" not in given):
                continue
            self.pipeline.image(
                f"{address}/{label}", role, Part(given, origin), self.above.pipeline, parents, value, scope.variables
            )

    def _step_pieces(self, fields: Mapping[str, list[Piece]], strategy: list[Piece], scope: Scope) -> Iterator[Piece]:
        for piece in fields.get("steps", []):
            yield from self._items(piece, scope)
        for piece in strategy:
            for name, each in self.pipeline.expander.fields(piece):
                if name in STRATEGIES:
                    yield from self._hooks(each, scope)

    def _hooks(self, piece: Piece, scope: Scope) -> Iterator[Piece]:
        for name, each in self.pipeline.expander.fields(piece):
            if name == "steps":
                yield from self._items(each, scope)
            elif name in HOOKS:
                yield from self._hooks(each, scope)

    def _items(self, piece: Piece, scope: Scope) -> Iterator[Piece]:
        return self.pipeline.expander.items(piece._replace(scope=piece.scope.with_variables(scope.variables)), "steps")

    def _step(
        self,
        piece: Piece,
        address: str,
        job: dict[str, Any],
        parents: Mapping[str, Places],
        steps: list[Any],
        scope: Scope,
        *,
        windows: bool,
    ) -> None:
        expander = self.pipeline.expander
        if isinstance(piece.value, Unknown) or piece.value is None:
            if isinstance(piece.value, Unknown) and not self.pipeline.templates.elsewhere:
                message = f"steps that are not known ({piece.value.reason}) are not seen"
                expander.tell(piece.origin, message, ProblemKind.LIMITED)
            return
        expander.spend(STEP_PARTS)
        own, origin = expander.expand(piece)
        if not isinstance(own, dict):
            expander.tell(piece.origin, "a step is not a mapping")
            return
        for key in SCRIPTED:
            if isinstance(own.get(key), (dict, list)):
                expander.tell(origin_of(own, origin, key), f"what '{key}' holds is not a text")
        reader = StepReader(own, origin, scope.variables, expander.uses, windows=windows, fetched=self.fetched)
        value = reader.read()
        script = reader.renamed.get("script")
        if script is not None and isinstance(script.value, (dict, list)):
            expander.tell(script.origin, "a script is text, and this is none, so what it runs is not seen")
        if value["kind"] == "task" and not isinstance(own["task"], (str, Unknown)):
            expander.tell(origin_of(own, origin, "task"), "a task is named by a text, and this is none")
        value["job"] = job
        value["pipeline"] = self.above.pipeline
        steps.append(value)
        self.fetched.update(fetched_secrets(value))
        key = key_of(value)
        places = Places(Part(own, origin), reader.renamed, parents, reader.stretches, value)
        header = origin_of(own, origin, value["kind"]) if value["kind"] else origin
        location, extent = header.location(), origin.extent
        address = self.pipeline.unique(f"{address}/steps/{key}")
        self.pipeline.resources.append(
            Resource("azure-pipelines", "step", address, key, value, location, places, extent)
        )


def _self_hosted(pool: Any) -> Any:
    """Without a pool, and with a virtual machine image, a job runs on Microsoft's machines."""
    if pool is None or isinstance(pool, Unknown):
        return False if pool is None else pool
    if not isinstance(pool, dict) or "vmImage" in pool:
        return False
    name = pool.get("name")
    if name is None or isinstance(name, Unknown):
        return False if name is None else name
    return not (_HOSTED.fullmatch(str(name)) or str(name) == "server")


def container_settings(given: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    """A container's settings whatever its form, with the macros in its image's name filled in."""
    settings = dict(given) if isinstance(given, dict) else {"image": given}
    settings["image"] = expand(settings.get("image"), variables)
    return settings
