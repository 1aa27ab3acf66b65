"""Reads a pipeline with its stages, jobs and steps into resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.image_reference import image_reference
from policy_engine.placed import Origin, Placed, origin_of
from policy_engine.resource import Resource
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.expanding import Field, Piece
from policy_engine_plugins.azure_pipelines.job import Above, JobReader, container_settings
from policy_engine_plugins.azure_pipelines.places import Part, Places
from policy_engine_plugins.azure_pipelines.scope import Scope
from policy_engine_plugins.azure_pipelines.templates import Templates

FORMAT = "azure-pipelines"
STRUCTURE = ("stages", "jobs", "steps", "parameters", "extends")


class Variables(Struct):
    """Variables of a pipeline, stage or job.

    written  name to value as written, with where
    groups   names of variable groups
    known    by lower-case name, what expressions and macros may take
    """

    written: Placed = field(default_factory=Placed)
    groups: list[Any] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)


class PipelineReader:
    def __init__(self, templates: Templates, path: str, *, has_triggers: bool) -> None:
        self.templates = templates
        self.expander = templates.expander
        self.file = path.rpartition("/")[2]
        self.has_triggers = has_triggers
        self.resources: list[Resource] = []
        self._addresses: dict[str, int] = {}

    def read(self, root: Piece) -> None:
        fields = self._fields(root)
        scope = root.scope
        variables = self.variables(fields.get("variables", []))
        scope = scope.with_variables(variables.known)
        value, own = self._plain(fields, scope, ("variables", *STRUCTURE))
        value |= {
            "variables": dict(variables.written),
            "groups": variables.groups,
            "file": self.file,
            "template": not self.has_triggers and "extends" not in fields,
            "triggers": self._triggers(value),
        }
        parameters = _defaults(root.value, root.origin)
        value["parameters"] = dict(parameters.value)
        renamed = {
            "variables": Part(variables.written, self._origin(fields, "variables", root.origin)),
            "parameters": parameters,
        }
        places = Places(Part(own, root.origin), renamed)
        jobs: dict[str, Any] = {}
        value["jobs"] = jobs
        self._add("pipeline", self.file, self.file, value, places, root.origin)
        self._repositories(value, own, root.origin, places)
        containers = self._containers(value, own, root.origin, places)
        above = Above(self.file, value, places, value, own, root.origin, containers, variables)
        body, body_fields, body_scope = root, fields, scope
        if "extends" in fields:
            extended = self._extended(fields["extends"][0], scope)
            if extended is None:
                # What the template puts around it is not seen; what is handed over to run is.
                body_fields = self._handed_over(fields["extends"][0])
            else:
                body = extended
                body_fields = self._fields(body)
                inner = self.variables(body_fields.get("variables", []))
                body_scope = body.scope.with_variables({**scope.variables, **inner.known})
        for key, read in (("stages", self._stage), ("jobs", self._job)):
            for piece in body_fields.get(key, []):
                for each in self.expander.items(piece._replace(scope=self._seen(piece, body_scope)), key):
                    read(each, above, jobs)
        if "steps" in body_fields:
            reader = JobReader(self, Part(own, root.origin), above, jobs, job_id="", kind="job")
            reader.read({"steps": body_fields["steps"]}, body_scope)

    def _seen(self, piece: Piece, scope: Scope) -> Scope:
        """A piece keeps its own loops and parameters; variables become known on the way down."""
        return piece.scope.with_variables(scope.variables)

    def _handed_over(self, piece: Piece) -> dict[str, list[Piece]]:
        """The stages, jobs and steps among the parameters of a template that is not here."""
        for key, each in self.expander.fields(piece):
            if key == "parameters":
                given = self._fields(each)
                return {name: given[name] for name in ("stages", "jobs", "steps") if name in given}
        return {}

    def _extended(self, piece: Piece, scope: Scope) -> Piece | None:
        value, origin = piece.value, piece.origin
        if not isinstance(value, dict) or "template" not in value:
            self.expander.tell(origin, "'extends' names a 'template'")
            return None
        opened = self.templates.call(Piece(value, origin, scope))
        return None if opened is None else Piece(*opened)

    def _fields(self, piece: Piece) -> dict[str, list[Piece]]:
        """The entries of a mapping, branches taken; a key has several values where it is not known which counts."""
        found: dict[str, list[Piece]] = {}
        for key, each in self.expander.fields(piece._replace(doubt=None)):
            if each.doubt is None:
                found[key] = [each]
            else:
                found.setdefault(key, []).append(each)
        return found

    fields = _fields

    def _plain(
        self, fields: Mapping[str, list[Piece]], scope: Scope, without: tuple[str, ...]
    ) -> tuple[dict[str, Any], Placed]:
        """The values of all other keys, worked out."""
        own = self.expander.mapping(
            Field(key, each._replace(scope=self._seen(each, scope)))
            for key, pieces in fields.items()
            if key not in without
            for each in pieces
        )
        return dict(own), own

    plain = _plain

    def _origin(self, fields: Mapping[str, list[Piece]], key: str, otherwise: Origin) -> Origin:
        return fields[key][0].origin if key in fields else otherwise

    def _triggers(self, value: Mapping[str, Any]) -> dict[str, Any]:
        pull_request: Any
        given = value.get("pr")
        if isinstance(given, Unknown):
            pull_request = given
        elif "pr" in value:
            pull_request = given != "none"
        elif not self.has_triggers:
            pull_request = Unknown("a template is triggered as the pipeline that uses it")
        else:
            pull_request = Unknown("without 'pr', where the repository lies decides whether pull requests are built")
        trigger = value.get("trigger")
        return {"pull_request": pull_request, "push": trigger if isinstance(trigger, Unknown) else trigger != "none"}

    # --- variables ----------------------------------------------------------------------------------------------------

    def variables(self, pieces: list[Piece]) -> Variables:
        found = Variables()
        for piece in pieces:
            if isinstance(piece.value, dict):
                for key, each in self.expander.fields(piece):
                    self._variable(found, key, each)
            else:
                for each in self.expander.items(piece, "variables"):
                    self._variable_item(found, each)
        return found

    def _variable_item(self, found: Variables, piece: Piece) -> None:
        value = piece.value
        if (isinstance(value, dict) and ("name" in value or "group" in value)) or not isinstance(value, dict):
            expanded, origin = self.expander.expand(piece)
            if not isinstance(expanded, dict):
                return
            if "group" in expanded:
                found.groups.append(expanded["group"])
            name = expanded.get("name")
            if isinstance(name, str):
                entry = piece._replace(
                    value=expanded.get("value", ""), origin=origin_of(expanded, origin, "value"), done=True
                )
                self._variable(found, name, entry)
        else:
            # A template of variables may hold them as a mapping.
            for key, each in self.expander.fields(piece):
                self._variable(found, key, each)

    def _variable(self, found: Variables, name: str, piece: Piece) -> None:
        value, origin = self.expander.expand(piece)
        if isinstance(value, dict) and "value" in value:
            value, origin = value["value"], origin_of(value, origin, "value")
        found.written.put(name, value, origin)
        found.known[name.lower()] = value if piece.doubt is None else piece.doubt

    # --- resources ----------------------------------------------------------------------------------------------------

    def _repositories(self, value: Mapping[str, Any], own: Placed, origin: Origin, above: Places) -> None:
        resources = value.get("resources")
        listed = resources.get("repositories") if isinstance(resources, dict) else None
        if not isinstance(listed, list):
            return
        base = origin_of(own, origin, "resources")
        base = origin_of(resources, base, "repositories")
        used = {name.partition("@")[2] for name, _ in self.templates.elsewhere}
        used |= {each.partition("@")[2] for each in _template_names(self)}
        for number, each in enumerate(listed):
            if not isinstance(each, dict):
                continue
            place = origin_of(listed, base, number)
            alias = str(each.get("repository", number))
            shown = dict(each)
            shown["pin"] = _ref_pin(each.get("ref"))
            shown["templates"] = alias in used
            shown["pipeline"] = value
            ref = Part(None, origin_of(each, place, "ref")) if "ref" in each else Part(None, place)
            places = Places(Part(each, place), {"pin": ref, "templates": Part(None, place)}, {"pipeline": above})
            self._add("repository", f"{self.file}/repositories/{alias}", alias, shown, places, place)

    def _containers(self, value: Mapping[str, Any], own: Placed, origin: Origin, above: Places) -> frozenset[str]:
        resources = value.get("resources")
        listed = resources.get("containers") if isinstance(resources, dict) else None
        if not isinstance(listed, list):
            return frozenset()
        base = origin_of(resources, origin_of(own, origin, "resources"), "containers")
        names = set()
        for number, each in enumerate(listed):
            if not isinstance(each, dict) or "container" not in each:
                continue
            place = origin_of(listed, base, number)
            alias = str(each["container"])
            names.add(alias)
            if "image" in each:
                self.image(f"{self.file}/containers/{alias}", "resource", Part(each, place), value, {"pipeline": above})
        return frozenset(names)

    def image(
        self,
        address: str,
        role: str,
        part: Part,
        pipeline: Mapping[str, Any],
        parents: Mapping[str, Places],
        job: Mapping[str, Any] | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> None:
        """Adds an image: a mapping with `image`, or its name alone."""
        settings = container_settings(part.value, known or {})
        value = {**settings, "image": image_reference(settings.get("image")), "role": role, "pipeline": pipeline}
        if job is not None:
            value["job"] = job
        place = part.origin
        if isinstance(part.value, dict) and "image" in part.value:
            place = origin_of(part.value, part.origin, "image")
        name = settings.get("image")
        places = Places(part, {"image": Part(None, place)}, parents)
        shown = name if isinstance(name, str) else address.rpartition("/")[2]
        self._add("image", address, shown, value, places, place)

    def _stage(self, piece: Piece, above: Above, jobs: dict[str, Any]) -> None:
        if not isinstance(piece.value, dict):
            self._odd(piece, "stage")
            return
        fields = self._fields(piece)
        variables = self.variables(fields.get("variables", []))
        scope = piece.scope.with_variables(variables.known)
        value, own = self._plain(fields, scope, ("variables", "jobs"))
        stage_id = value.get("stage")
        name = stage_id if isinstance(stage_id, str) else "stage"
        value["variables"] = dict(variables.written)
        value["id"] = name
        places = Places(Part(own, piece.origin))
        inner = above.with_stage(name, value, own, piece.origin, places, variables)
        for each in fields.get("jobs", []):
            for job in self.expander.items(each._replace(scope=self._seen(each, scope)), "jobs"):
                self._job(job, inner, jobs)

    def _job(self, piece: Piece, above: Above, jobs: dict[str, Any]) -> None:
        if not isinstance(piece.value, dict):
            self._odd(piece, "job")
            return
        fields = self._fields(piece)
        kind = next((key for key in ("deployment", "job") if key in fields), "")
        if not kind:
            self.expander.tell(piece.origin, "an entry of 'jobs' is a 'job', a 'deployment' or a 'template'")
            return
        name, _ = self.expander.expand(fields[kind][0])
        shown = name if isinstance(name, str) and name else "job"
        reader = JobReader(self, Part(None, piece.origin), above, jobs, job_id=shown, kind=kind)
        reader.read(fields, piece.scope)

    def _odd(self, piece: Piece, what: str) -> None:
        if not isinstance(piece.value, Unknown) and piece.value is not None:
            self.expander.tell(piece.origin, f"a {what} is not a mapping")
        elif isinstance(piece.value, Unknown) and not self.templates.elsewhere:
            message = f"a {what} that is not known ({piece.value.reason}) is not seen"
            self.expander.tell(piece.origin, message, ProblemKind.LIMITED)

    def unique(self, address: str) -> str:
        count = self._addresses[address] = self._addresses.get(address, 0) + 1
        return address if count == 1 else f"{address}#{count}"

    def _add(
        self, kind: str, address: str, name: str, value: Mapping[str, Any], places: Places, origin: Origin
    ) -> None:
        location, extent = origin.location(), origin.extent
        self.resources.append(Resource(FORMAT, kind, self.unique(address), name, value, location, places, extent))

    add = _add


def _template_names(reader: PipelineReader) -> Iterator[str]:
    from policy_engine_plugins.azure_pipelines.templates import template_names

    for resource in reader.resources[:1]:
        places = resource.locate
        if isinstance(places, Places):
            yield from template_names(places.own.origin.document.value, "")


def _ref_pin(ref: Any) -> Any:
    if ref is None or isinstance(ref, Unknown):
        return "none" if ref is None else ref
    text = str(ref)
    if "$(" in text:
        return Unknown(f"depends on {text[:60]}")
    return "tag" if text.startswith("refs/tags/") else "ref"


def _defaults(value: Any, origin: Origin) -> Part:
    """The defaults of the pipeline's own parameters, by name."""
    written = Placed()
    declared = value.get("parameters") if isinstance(value, dict) else None
    place = origin_of(value, origin, "parameters") if declared is not None else origin
    if isinstance(declared, list):
        for number, entry in enumerate(declared):
            if isinstance(entry, dict) and isinstance(entry.get("name"), str) and "default" in entry:
                at = origin_of(declared, place, number)
                written.put(entry["name"], entry["default"], origin_of(entry, at, "default"))
    elif isinstance(declared, dict):
        for name, default in declared.items():
            written.put(str(name), default, origin_of(declared, place, name))
    return Part(written, place)
