"""A job as it runs: its own keys, what it inherits, and the resources in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache, partial
from typing import Any

from msgspec import Struct

from policy_engine.image_reference import image_reference
from policy_engine.partial import PartialDict
from policy_engine.placed import Origin, Placed, PlacedList, origin_of
from policy_engine.resource import Resource
from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab.duration import minutes
from policy_engine_plugins.gitlab.environment import deploys, environment_of, is_production
from policy_engine_plugins.gitlab.expanding import flattened
from policy_engine_plugins.gitlab.inputs import OPEN, Place, Use
from policy_engine_plugins.gitlab.merging import Budget
from policy_engine_plugins.gitlab.places import Part, Places, Stretch
from policy_engine_plugins.gitlab.script import ScriptValue
from policy_engine_plugins.gitlab.starting import Workflow, started_by_only, started_by_rules, supposed
from policy_engine_plugins.gitlab.variables import expand, names_in, value_of

DEFAULTS = (
    *("after_script", "artifacts", "before_script", "cache", "hooks", "id_tokens", "image", "interruptible"),
    *("identity", "retry", "services", "tags", "timeout"),
)
"""Keywords that a job takes from `default` (or, for some, from the top of the file)."""
GLOBAL_DEFAULTS = ("after_script", "before_script", "cache", "image", "services")
MAX_ALTERNATIVES = 50
"""More images than these from one matrix are not told apart."""
SECTIONS = ("before_script", "script", "after_script")
_DERIVED = {
    "deploys": "environment",
    "production": "environment",
    "security": "",
    "starts": "",
    "timeout_minutes": "timeout",
}
"""What is worked out for a job: the keyword that each is told by, none for the job as a whole."""
_BY_RULES = {**_DERIVED, "starts": "rules"}
_BY_ONLY = {**_DERIVED, "starts": "only"}
_SECURITY = re.compile(
    r"(?i)(?:^|[^a-z])(?:sast|dast|iac[-_ ]?scan\w*|secret[-_ ]?(?:detection|scan\w*)|gitleaks|trufflehog|semgrep"
    r"|bandit|gosec|brakeman|trivy|grype|snyk|checkov|tfsec|kics|codeql|sonarqube|policy[-_ ]engine"
    r"|dependency[-_ ]?(?:scan\w*|check)|container[-_ ]?scan\w*|vulnerability[-_ ]?scan\w*"
    r"|security[-_ ]?(?:scan|check|test)\w*)(?:$|[^a-z])"
)


class Surroundings(Struct, frozen=True):
    """What all jobs of a pipeline share.

    value, places  of the `pipeline` resource, without its jobs
    inherited      keywords that a job takes over where it has none of its own
    variables      of the whole pipeline
    workflow       the rules by which the pipeline comes to be, if it has any
    changed        names of variables that rules set for some pipelines only
    lacking        what is not known where files that are not here may set defaults
    uses           inputs in texts, by their places
    """

    file: str
    value: dict[str, Any]
    places: Places
    inherited: Mapping[str, Part]
    variables: Part
    workflow: Workflow | None
    changed: frozenset[str]
    lacking: Unknown | None
    uses: Mapping[Place, list[Use]]
    budget: Budget


def inherited_by_jobs(default: Part, whole: Part) -> dict[str, Part]:
    """What `default` says, and where it says nothing, keywords at the top of the configuration."""
    inherited: dict[str, Part] = {}
    for key in DEFAULTS:
        for source, keys in ((default, DEFAULTS), (whole, GLOBAL_DEFAULTS)):
            if key in keys and isinstance(source.value, dict) and key in source.value:
                inherited[key] = Part(source.value[key], origin_of(source.value, source.origin, key))
                break
    return inherited


class JobReader:
    """Makes the resources of one job."""

    def __init__(
        self, name: str, value: dict[str, Any], origin: Origin, missing: Unknown | None, around: Surroundings
    ) -> None:
        self.name = name
        self.own = value
        self.origin = origin
        self.around = around
        self.missing = missing
        self.renamed: dict[str, Part] = {}
        self.address = f"{around.file}/jobs/{name}"
        self.seen: dict[str, Any] = {}
        self.resources: list[Resource] = []

    def read(self) -> dict[str, Any]:
        """Adds the resources; gives the job's value."""
        around, own = self.around, self.own
        value: dict[str, Any] = dict(own)
        for key in ("variables", *SECTIONS):
            value.pop(key, None)
        self._inherit(value)
        seen = self.seen = self._variables(value)
        value["id"] = self.name
        value["pipeline"] = around.value
        self._environment(value, seen)
        self._start(value, seen)
        value["timeout_minutes"] = minutes(value.get("timeout"))
        value["security"] = _names_scanner(self.name)
        for key in SECTIONS:
            self._lines(key, value)
        images = self._images(value, seen)
        lacking = around.lacking if self.missing is None and _may_inherit(own) else self.missing
        shown: dict[str, Any] = value
        if self.missing is not None:
            shown = PartialDict(value, self.missing)
        elif lacking is not None:
            for key in ("image", "timeout", "tags", "cache", "artifacts", "services", "interruptible", "retry"):
                if key not in value:
                    value[key] = lacking
            if value["timeout_minutes"] is None:
                value["timeout_minutes"] = lacking
        places = Places(
            Part(own, self.origin),
            self.renamed,
            {"pipeline": around.places},
            _derived(value),
            variables=partial(_variables_as_written, around.variables, own, self.origin),
        )
        above = {"job": places, "pipeline": around.places}
        location, extent = self.origin.location(), self.origin.extent
        self.resources.append(Resource("gitlab", "job", self.address, self.name, shown, location, places, extent))
        self._scripts(value, shown, above)
        self._image_resources(images, shown, above)
        return shown

    def _part(self, key: str) -> Part | None:
        """A keyword of the job, or what it inherits for it."""
        if key in self.own:
            return Part(self.own[key], origin_of(self.own, self.origin, key))
        return self.renamed.get(key)

    def _inherit(self, value: dict[str, Any]) -> None:
        wanted = _inherited(self.own, "default")
        for key, part in self.around.inherited.items():
            if key not in self.own and (wanted is True or (isinstance(wanted, list) and key in wanted)):
                if key not in SECTIONS:
                    value[key] = part.value
                self.renamed[key] = part

    def _variables(self, value: dict[str, Any]) -> dict[str, Any]:
        """Sets the job's variables; gives those it sees, with Unknown where a rule or a matrix decides."""
        own = self._part("variables")
        wanted = _inherited(self.own, "variables")
        shared = self.around.variables
        seen: dict[str, Any] = {}
        if isinstance(shared.value, dict):
            if wanted is True:
                seen.update(self.around.value["variables"])
            elif wanted is not False:
                seen.update((name, value_of(entry)) for name, entry in shared.value.items() if name in wanted)
        if own is not None:
            found = own.value
            written = {name: value_of(entry) for name, entry in found.items()} if isinstance(found, dict) else {}
            seen.update(written)
            value["variables"] = found if isinstance(found, Unknown) else written
        value["environment_variables"] = dict(seen)
        for name in self.around.changed | _set_by_rules(self.own.get("rules")):
            seen[name] = Unknown(f"which value ${name} has depends on which of the rules applies")
        for name, reason in _matrix_names(self.own.get("parallel")).items():
            seen[name] = Unknown(reason)
        return seen

    def _environment(self, value: dict[str, Any], seen: Mapping[str, Any]) -> None:
        settings = environment_of(value.get("environment"), seen)
        if settings is not None:
            value["environment"] = settings
            part = self._part("environment")
            if part is not None and not isinstance(part.value, dict):
                # Written as the name alone: all that is said of it stands there.
                self.renamed["environment"] = Part(None, part.origin)
        value["deploys"] = deploys(settings)
        value["production"] = is_production(settings)

    def _start(self, value: dict[str, Any], seen: Mapping[str, Any]) -> None:
        when = value.get("when", "on_success")
        starts: dict[str, Any] = {}
        workflow = self.around.workflow
        for key, merge_request in (("on_branch", False), ("on_merge_request", True)):
            if "rules" in value:
                where = supposed(seen, merge_request=merge_request)
                _, alone = started_by_rules(value["rules"], when if isinstance(when, str) else "on_success", where)
            else:
                alone = started_by_only(value, seen, merge_request=merge_request)
                if when == "manual" and alone is not False:
                    alone = False
            if workflow is not None and alone is not False:
                made = workflow.makes(seen, merge_request=merge_request)
                if made is not True:
                    alone = made
            if self.missing is not None and "rules" not in value and alone is not False:
                alone = self.missing
            starts[key] = alone
        value["starts"] = starts
        value["manual"] = when == "manual" or any(
            isinstance(rule, dict) and rule.get("when") == "manual" for rule in _listed(value.get("rules"))
        )

    def _lines(self, key: str, value: dict[str, Any]) -> None:
        part = self._part(key)
        if part is None:
            return
        lines, origin = flattened(part.value, part.origin, self.around.budget)
        value[key] = part.value if isinstance(part.value, Unknown) else list(lines)
        self.renamed[key] = Part(lines, origin)

    def _scripts(self, value: dict[str, Any], job: dict[str, Any], above: Mapping[str, Places]) -> None:
        hooks = value.get("hooks")
        hook = self._part("hooks")
        if isinstance(hooks, dict) and hook is not None and "pre_get_sources_script" in hooks:
            found = hooks["pre_get_sources_script"]
            lines, origin = flattened(
                found, origin_of(hook.value, hook.origin, "pre_get_sources_script"), self.around.budget
            )
            self._script("pre_get_sources_script", Part(lines, origin), job, above)
        for key in SECTIONS:
            part = self.renamed.get(key)
            if part is not None and key in value:
                self._script(key, part, job, above)

    def _script(self, section: str, part: Part, job: dict[str, Any], above: Mapping[str, Places]) -> None:
        lines = [str(line) if isinstance(line, str) else line for line in part.value]
        inputs = PlacedList()
        found: list[dict[str, Any]] = []
        for number in range(len(lines) if self.around.uses else 0):
            line_origin = origin_of(part.value, part.origin, number)
            for use in self.around.uses.get((line_origin.document.path, line_origin.path), ()):
                inputs.put(Stretch(use.text, use.start, use.end), line_origin)
                found.append({"name": use.name, "bounded": use.bounded, "line": number})
        value = ScriptValue(
            {
                "lines": lines,
                "section": section,
                "job": job,
                "pipeline": self.around.value,
                "inputs": found,
            },
            self.seen,
        )
        renamed = {"lines": part}
        if found:
            renamed["inputs"] = Part(inputs, part.origin)
        own = Places(Part(None, part.origin), renamed, above, script=value)
        # What several jobs take over from one place is told of once: it has the name of that place.
        path = part.origin.path
        holder = str(path[0]) if len(path) > 1 and OPEN not in str(path[0]) else self.name
        location, extent = part.origin.location(), part.origin.extent
        address = f"{self.address}/{section}"
        self.resources.append(Resource("gitlab", "script", address, holder, value, location, own, extent))

    def _images(self, value: dict[str, Any], seen: Mapping[str, Any]) -> list[tuple[str, str, Any, Part]]:
        """The job's images as (role, label, settings, where), with `services` in one form in its value."""
        found: list[tuple[str, str, Any, Part]] = []
        image = self._part("image")
        if image is not None and image.value is not None:
            for number, settings in enumerate(_alternatives(image.value, seen, self.own.get("parallel"))):
                found.append(("job", "image" if not number else f"image/{_short_name(settings)}", settings, image))
        services = self._part("services")
        if services is not None and isinstance(services.value, list):
            listed = []
            for number, service in enumerate(services.value):
                settings = _settings(service, seen)
                listed.append(settings)
                place = Part(service, origin_of(services.value, services.origin, number))
                name = settings.get("alias") if isinstance(settings, dict) else None
                label = name if isinstance(name, str) else _short_name(settings)
                found.append(("service", f"services/{label}", settings, place))
            value["services"] = listed
        return found

    def _image_resources(
        self, images: list[tuple[str, str, Any, Part]], job: dict[str, Any], above: Mapping[str, Places]
    ) -> None:
        taken: dict[str, int] = {}
        for role, label, settings, part in images:
            taken[label] = taken.get(label, 0) + 1
            address = f"{self.address}/{label}" + (f"#{taken[label]}" if taken[label] > 1 else "")
            value: dict[str, Any] = dict(settings) if isinstance(settings, dict) else {}
            name = value.get("name") if isinstance(settings, dict) else settings
            value["image"] = image_reference(name)
            value["role"] = role
            value["job"] = job
            value["pipeline"] = self.around.value
            named = isinstance(part.value, dict) and "name" in part.value
            at = Part(None, origin_of(part.value, part.origin, "name") if named else part.origin)
            own = Places(part, {"image": at, "name": at}, above)
            written = name if isinstance(name, str) else f"{self.name} ({label})"
            location, extent = at.origin.location(), part.origin.extent
            self.resources.append(Resource("gitlab", "image", address, written, value, location, own, extent))


def _derived(job: Mapping[str, Any]) -> Mapping[str, str]:
    return _BY_RULES if "rules" in job else _BY_ONLY if "only" in job else _DERIVED


@lru_cache(maxsize=4096)
def _names_scanner(name: str) -> bool:
    return _SECURITY.search(name) is not None


def _settings(image: Any, seen: Mapping[str, Any]) -> Any:
    if isinstance(image, dict):
        settings = dict(image)
        settings["name"] = expand(settings.get("name"), seen)
        return settings
    return {"name": expand(image, seen)} if isinstance(image, (str, Unknown)) else image


def _alternatives(image: Any, seen: Mapping[str, Any], parallel: Any) -> list[Any]:
    """The image's settings: one for each value that a matrix gives the variables in its name."""
    name = image.get("name") if isinstance(image, dict) else image
    axes = _matrix_values(parallel, names_in(name)) if isinstance(name, str) and isinstance(parallel, dict) else None
    if not axes:
        return [_settings(image, seen)]
    found: list[Any] = []
    for values in axes:
        settings = _settings(image, {**seen, **values})
        if settings not in found:
            found.append(settings)
    return found


def _matrix_values(parallel: Any, names: Collection[str]) -> list[dict[str, Any]] | None:
    """What a matrix gives these variables, together; None where that is not known, or too much."""
    matrix = parallel.get("matrix") if isinstance(parallel, dict) else None
    found: list[dict[str, Any]] = []
    for combination in _listed(matrix):
        if not isinstance(combination, dict):
            return None
        rows: list[dict[str, Any]] = [{}]
        for name, values in combination.items():
            if name in names:
                listed = values if isinstance(values, list) else [values]
                rows = [{**row, name: value} for row in rows for value in listed[:MAX_ALTERNATIVES]]
                if len(rows) > MAX_ALTERNATIVES:
                    return None
        found.extend(row for row in rows if row)
        if len(found) > MAX_ALTERNATIVES:
            return None
    return found


def _short_name(settings: Any) -> str:
    name = settings.get("name") if isinstance(settings, dict) else None
    if not isinstance(name, str):
        return "service"
    return name.partition("@")[0].rpartition("/")[2].partition(":")[0] or "service"


def _variables_as_written(shared: Part, job: Mapping[str, Any], origin: Origin) -> Part:
    """Where the variables that a job sees are written: those of the pipeline that it wants, and its own over them."""
    together = Placed()
    wanted = _inherited(job, "variables")
    if isinstance(shared.value, dict) and wanted is not False:
        for name, entry in shared.value.items():
            if wanted is True or name in wanted:
                together.put(name, entry, origin_of(shared.value, shared.origin, name))
    if isinstance(job.get("variables"), dict):
        together.put_all(job["variables"], origin_of(job, origin, "variables"))
    return Part(together, origin)


def _inherited(job: Mapping[str, Any], what: str) -> Any:
    inherit = job.get("inherit")
    wanted = inherit.get(what, True) if isinstance(inherit, dict) else True
    return wanted if wanted is False or isinstance(wanted, list) else True


def _may_inherit(job: Mapping[str, Any]) -> bool:
    return _inherited(job, "default") is not False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _set_by_rules(rules: Any) -> set[str]:
    names: set[str] = set()
    for rule in _listed(rules):
        if isinstance(rule, dict) and isinstance(rule.get("variables"), dict):
            names.update(rule["variables"])
    return names


def _matrix_names(parallel: Any) -> dict[str, str]:
    matrix = parallel.get("matrix") if isinstance(parallel, dict) else None
    names: dict[str, str] = {}
    for combination in _listed(matrix):
        if isinstance(combination, dict):
            for name in combination:
                names[name] = f"${name} has a value of its own in each job of the matrix"
    return names
