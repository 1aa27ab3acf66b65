"""Steps: what kind, which task at which version, which script by which shell, and what is put into its texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from policy_engine.path import show_path
from policy_engine.placed import Origin, origin_of
from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.expanding import Use
from policy_engine_plugins.azure_pipelines.places import Part, Stretch
from policy_engine_plugins.azure_pipelines.script import HOLE, StepValue
from policy_engine_plugins.azure_pipelines.security import is_security_name, is_security_script
from policy_engine_plugins.azure_pipelines.variables import MACRO, is_secret, origins

SCRIPTED = ("task", "script", "bash", "powershell", "pwsh")
KINDS = (*SCRIPTED, "checkout", "publish", "download", "downloadBuild", "getPackage", "reviewApp")
SHELLS = {"bash": "bash", "powershell": "powershell", "pwsh": "pwsh"}
# Tasks that run a script given as an input: the input, the one that says that it is inline, and the shell.
_SCRIPT_INPUTS = {
    "bash": ("script", "targettype", "inline", "bash"),
    "cmdline": ("script", "", "", ""),
    "powershell": ("script", "targettype", "inline", "powershell"),
    "azurecli": ("inlinescript", "scriptlocation", "inlinescript", ""),
    "azurepowershell": ("inline", "scripttype", "inlinescript", "powershell"),
    "ssh": ("inline", "runoptions", "inline", "bash"),
}
_AZURE_CLI_SHELLS = {"bash": "bash", "pscore": "pwsh", "ps": "powershell", "batch": "cmd"}
MAX_TEXTS = 2000


class StepReader:
    """Reads one step. `variables` are those in sight, `fetched` names of secrets that steps before it took from a key
    vault; `windows` whether the job's machine is known to be one."""

    def __init__(
        self,
        value: Mapping[str, Any],
        origin: Origin,
        variables: Mapping[str, Any],
        expression_uses: Mapping[tuple[str, AttributePath], list[Use]],
        *,
        windows: bool,
        fetched: Set[str] = frozenset(),
    ) -> None:
        self.own = value
        self.origin = origin
        self.variables = variables
        self.expression_uses = expression_uses
        self.windows = windows
        self.fetched = fetched
        self.renamed: dict[str, Part] = {}
        self.stretches: list[Stretch] = []

    def read(self) -> StepValue:
        own = self.own
        value: dict[str, Any] = {key: item for key, item in own.items() if key not in ("script", "inputs")}
        kind = next((key for key in KINDS if key in own), "")
        value["kind"] = kind
        self._rename("kind", kind)
        inputs = own.get("inputs")
        if isinstance(inputs, dict):
            value["inputs"] = {str(name).lower(): item for name, item in inputs.items()}
            self._rename_inputs(inputs)
        elif inputs is not None:
            value["inputs"] = inputs
        if kind == "task":
            value["task"] = _task(own["task"])
            self._rename("task", "task")
        self._script(kind, value)
        value["uses"] = self._uses()
        names = [str(own.get(key)) for key in ("displayName", "task", "name") if isinstance(own.get(key), str)]
        script = value.get("script")
        value["security"] = any(map(is_security_name, names)) or (
            isinstance(script, str) and is_security_script(script)
        )
        self._rename("security", kind)
        return StepValue(value, frozenset(self.variables))

    def _rename(self, key: str, stands_for: str) -> None:
        own = self.own
        if stands_for in own:
            self.renamed[key] = Part(None, origin_of(own, self.origin, stands_for))

    def _rename_inputs(self, inputs: Mapping[str, Any]) -> None:
        from policy_engine.placed import Placed

        place = origin_of(self.own, self.origin, "inputs")
        lowered = Placed()
        for name, item in inputs.items():
            lowered.put(str(name).lower(), item, origin_of(inputs, place, name))
        self.renamed["inputs"] = Part(lowered, place)

    def _script(self, kind: str, value: dict[str, Any]) -> None:
        own = self.own
        if kind in ("script", *SHELLS):
            value["script"] = _script_text(own[kind])
            value["shell"] = SHELLS.get(kind, "cmd" if self.windows else "sh")
            self.script_path: AttributePath = (kind,)
            self.renamed["script"] = Part(own[kind], origin_of(own, self.origin, kind))
            return
        self.script_path = ()
        task, inputs = value.get("task"), value.get("inputs")
        if not isinstance(task, dict) or not isinstance(inputs, dict):
            return
        known = _SCRIPT_INPUTS.get(str(task["name"]).lower())
        if known is None or known[0] not in inputs:
            return
        name, location, inline, shell = known
        if location and str(inputs.get(location, "filepath")).lower() != inline:
            return
        value["script"] = _script_text(inputs[name])
        if str(task["name"]).lower() == "azurecli":
            shell = _AZURE_CLI_SHELLS.get(str(inputs.get("scripttype", "")).lower(), "")
        value["shell"] = shell or ("cmd" if self.windows else "sh")
        part = self.renamed["inputs"]
        self.script_path = ("inputs", name)
        self.renamed["script"] = Part(inputs[name], origin_of(part.value, part.origin, name))

    def _uses(self) -> list[dict[str, Any]]:
        """What macros and expressions put into the step's texts."""
        found: list[dict[str, Any]] = []
        for path, text, origin in self._texts():
            uses = self.expression_uses.get((origin.document.path, origin.path), ())
            if not uses and "$(" not in text:
                continue
            shown = "script" if path == self.script_path else show_path(path)
            for use in uses:
                flows = origins(use.name, self.variables) if use.kind == "variable" else []
                self._add(found, use.kind, use.name, flows, shown, use.bounded)
                self.stretches.append(Stretch(origin, use.text, use.start, use.end))
            written = origin.written()
            for match in MACRO.finditer(text):
                self._add(found, "macro", match[1], origins(match[1], self.variables), shown, False)
                start = match.start()
                stands = isinstance(written, str) and match[0] in written
                if stands and not written.startswith(match[0], start):
                    start = written.find(match[0])
                # One that an expression brings along stands in the text as it is filled in.
                self.stretches.append(Stretch(origin, written if stands else text, start, start + len(match[0])))
        return found

    def _add(
        self, found: list[dict[str, Any]], kind: str, name: str, flows: list[str], path: str, bounded: bool
    ) -> None:
        secret = kind != "parameter" and any(
            is_secret(each, self.variables) or each.lower() in self.fetched for each in (name, *flows)
        )
        found.append({"kind": kind, "name": name, "flows": flows, "path": path, "bounded": bounded, "secret": secret})

    def _texts(self) -> Iterator[tuple[AttributePath, str, Origin]]:
        """Every text of the step with its path; what is not known of one stands as a hole."""
        waiting: list[tuple[AttributePath, Any, Origin]] = [((), self.own, self.origin)]
        seen = 0
        while waiting and seen < MAX_TEXTS:
            path, value, origin = waiting.pop()
            seen += 1
            if isinstance(value, dict):
                waiting.extend(
                    (
                        (*path, key.lower() if path == ("inputs",) else key),
                        value[key],
                        origin_of(value, origin, key),
                    )
                    for key in reversed(list(value))
                )
            elif isinstance(value, list):
                waiting.extend(
                    ((*path, i), value[i], origin_of(value, origin, i)) for i in range(len(value) - 1, -1, -1)
                )
            elif isinstance(value, str):
                yield path, value, origin
            elif isinstance(value, Unknown):
                yield path, "".join(HOLE if piece is None else piece for piece in value.fragments), origin


def fetched_secrets(value: Mapping[str, Any]) -> list[str]:
    """Names of the secrets that a step takes from a key vault: the steps that follow have them as variables."""
    task, inputs = value.get("task"), value.get("inputs")
    if not isinstance(task, dict) or str(task["name"]).lower() != "azurekeyvault" or not isinstance(inputs, dict):
        return []
    names = inputs.get("secretsfilter")
    return [name.strip().lower() for name in names.split(",")] if isinstance(names, str) else []


def _script_text(given: Any) -> str | Unknown:
    if isinstance(given, (dict, list)):
        return Unknown("a script is text, and this is none")
    return given if isinstance(given, (str, Unknown)) else "" if given is None else str(given)


def _task(given: Any) -> Any:
    if isinstance(given, Unknown):
        return given
    if not isinstance(given, str):
        return Unknown("a task is named by a text, and this is none")
    name, at, version = given.partition("@")
    return {"name": name, "version": version.split(".")[0] if at else ""}


def key_of(value: Mapping[str, Any]) -> str:
    """What tells a step from its neighbours without counting them."""
    for key in ("name", "displayName"):
        if isinstance(value.get(key), str):
            return str(value[key])[:100]
    task = value.get("task")
    if isinstance(task, dict):
        return str(task["name"])
    return str(value.get("kind") or "step")
