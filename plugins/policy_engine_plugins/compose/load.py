"""Loads a Compose file: fills in variables, merges its override, resolves `extends`, and makes resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.errors import PolicyEngineError
from policy_engine.partial import PartialDict
from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Trace
from policy_engine.tree import Tree, join
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlDocument, YamlMapping, parse_yaml
from policy_engine_plugins.compose import ComposeFormat
from policy_engine_plugins.compose.grouping import folder_of, override_of
from policy_engine_plugins.compose.interpolation import InterpolationError, interpolate, read_env
from policy_engine_plugins.compose.merge import drop_reset, merge_models, merge_services
from policy_engine_plugins.compose.node import Growing, Node, TooManyNodes, scalars
from policy_engine_plugins.compose.normal import misshapen, normalise_service

FORMAT = "compose"
_MAX_EXTENDS = 50
_MAX_INCLUDES = 50
_MAX_TOLD = 100
_KINDS = (("networks", "network"), ("volumes", "volume"), ("secrets", "secret"), ("configs", "config"))


def load(unit: Unit, tree: Tree) -> Loaded:
    project = _Project(unit, tree)
    try:
        project.load()
    except TooManyNodes:
        message = "its aliases and the files it extends stand for too many values to be read"
        project.problems.append(Problem(unit.name, message))
    return Loaded(project.resources, project.problems)


class _Project:
    """One unit on its way to resources."""

    def __init__(self, unit: Unit, tree: Tree) -> None:
        self.unit = unit
        self.tree = tree
        self.resources: list[Resource] = []
        self.problems: list[Problem] = []
        self.growing = Growing()
        self.models: dict[str, Node | None] = {}
        self.environments: dict[str, Mapping[str, str | Unknown]] = {}
        self.extended: dict[tuple[str, str], Node | None] = {}

    def load(self) -> None:
        name = self.unit.name
        model = self.model(name, folder_of(name))
        override = override_of(name, self.tree)
        if override is not None:
            over = self.model(override, folder_of(name))
            model = over if model is None else model if over is None else merge_models(model, over)
        if model is None:
            return
        self.add(drop_reset(model))
        self.include(model, name, {name}, 0)

    def tell(self, node: Node, message: str, kind: ProblemKind = ProblemKind.NOT_UNDERSTOOD) -> None:
        if len(self.problems) < _MAX_TOLD:
            place = node.location()
            problem = Problem(place.path, message, place.span, kind)
            if problem not in self.problems:
                self.problems.append(problem)
        elif len(self.problems) == _MAX_TOLD:
            self.problems.append(Problem(self.unit.name, "more is wrong with it than is told here"))

    # ---- files ----

    def environment(self, folder: str) -> Mapping[str, str | Unknown]:
        """The variables of the `.env` in a folder."""
        known = self.environments.get(folder)
        if known is None:
            path = join(folder, ".env")
            try:
                data = self.tree.read(path) if path is not None and self.tree.is_file(path) else b""
                known = read_env(data.decode("utf-8-sig", "replace").replace("\r\n", "\n"))
            except (OSError, PolicyEngineError) as error:
                message = f"the .env beside it cannot be read: {getattr(error, 'strerror', None) or error}"
                self.problems.append(Problem(self.unit.name, message, None, ProblemKind.LIMITED))
                known = {}
            self.environments[folder] = known
        return known

    def model(self, path: str, project_folder: str) -> Node | None:
        """A file's model with its variables filled in and its services in the long form; None where it has none."""
        if path in self.models:
            return self.models[path]
        self.models[path] = None
        parsed = parse_yaml(self.tree.read(path), path)
        self.problems.extend(parsed.problems)
        merged: Node | None = None
        for document in parsed.documents:
            found = self.document(document, project_folder)
            if found is not None:
                # Compose merges the documents of a file like files.
                merged = found if merged is None else merge_models(merged, found)
        self.models[path] = merged
        return merged

    def document(self, document: YamlDocument, project_folder: str) -> Node | None:
        if document.value is None:
            return None
        if not isinstance(document.value, YamlMapping):
            place = document.at(())
            self.problems.append(Problem(document.path, "a Compose file holds a mapping", place))
            return None
        model = self.growing.node(document, document.value, ())
        variables = self.environment(project_folder)
        for key, child in model.value.items():
            if not key.startswith("x-"):
                self.fill(child, variables)
        services = model.get("services")
        if services is None or services.value is None:
            return model
        if not isinstance(services.value, dict):
            self.tell(services, "'services' is not a mapping")
            del model.value["services"]
            return model
        for name, service in list(services.value.items()):
            if name.startswith("x-"):
                del services.value[name]
            elif service.value is None and service.tag != "!reset":
                services.value[name] = Node({}, service.document, service.path)
            elif isinstance(service.value, dict):
                for child, message in misshapen(service):
                    self.tell(child, message)
                normalise_service(service)
            elif service.tag != "!reset":
                self.tell(service, f"service '{name[:60]}' is not a mapping")
                del services.value[name]
        return model

    def fill(self, node: Node, variables: Mapping[str, str | Unknown]) -> None:
        for each in scalars(node):
            if isinstance(each.value, str) and "$" in each.value:
                each.written = each.value
                try:
                    each.value = interpolate(each.value, variables)
                except InterpolationError as error:
                    self.tell(each, str(error))
                    each.value = Unknown("its variables cannot be read")
                else:
                    if isinstance(each.value, Unknown) and each.value.origin is None:
                        value = each.value
                        each.value = Unknown(value.reason, each.location(), (), value.fragments, value.present)

    def include(self, model: Node, path: str, seen: set[str], depth: int) -> None:
        """Adds what a model includes, but for files that are scanned on their own."""
        included = model.get("include")
        if included is None or not isinstance(included.value, list):
            return
        for item in included.value:
            listed = item.get("path") if isinstance(item.value, dict) else item
            names = listed.value if listed is not None and isinstance(listed.value, list) else [listed]
            for name in names:
                if name is None or not isinstance(name.value, str):
                    if name is not None and isinstance(name.value, Unknown):
                        self.tell(
                            name, f"which file it includes is not known: {name.value.reason}", ProblemKind.LIMITED
                        )
                    continue
                found = join(folder_of(path), name.value)
                if found is None or not self.tree.is_file(found):
                    self.tell(
                        name, f"'{name.value[:200]}' is included, but is not among the files", ProblemKind.LIMITED
                    )
                    continue
                if found in seen or ComposeFormat().claims(found):
                    continue
                if len(seen) > _MAX_INCLUDES:
                    self.tell(name, f"more than {_MAX_INCLUDES} files are included", ProblemKind.LIMITED)
                    return
                seen.add(found)
                inner = self.model(found, folder_of(found))
                if inner is not None:
                    self.add(drop_reset(inner))
                    self.include(inner, found, seen, depth + 1)

    # ---- extends ----

    def resolved(self, service: Node, services: Node, path: str, chain: tuple[tuple[str, str], ...]) -> Node:
        """A service with what it extends."""
        extends = service.get("extends")
        if extends is None:
            return service
        own = Node(
            {key: child for key, child in service.value.items() if key != "extends"},
            service.document,
            service.path,
            None,
            service.rest,
        )
        value = extends.value
        name = value if isinstance(value, (str, Unknown)) else None
        file: Any = None
        if isinstance(value, dict):
            name = value["service"].value if "service" in value else None
            file = value["file"].value if "file" in value else None
        if isinstance(name, Unknown) or isinstance(file, Unknown):
            reason = name if isinstance(name, Unknown) else file
            own.rest = Unknown(f"what the service extends is not known: {reason.reason}", extends.location())
            return own
        if not isinstance(name, str):
            self.tell(extends, "'extends' wants the name of a service")
            own.rest = Unknown("what the service extends cannot be read", extends.location())
            return own
        base = self.base(extends, name, file, services, path, chain)
        if base is None:
            own.rest = Unknown(f"the service '{name[:60]}' that it extends is not at hand", extends.location())
            return own
        merged = merge_services(base, own)
        rest = merged.rest
        return Node(merged.value, service.document, service.path, None, rest)

    def base(
        self,
        extends: Node,
        name: str,
        file: Any,
        services: Node,
        path: str,
        chain: tuple[tuple[str, str], ...],
    ) -> Node | None:
        found_in = path
        if file is not None:
            joined = join(folder_of(path), str(file))
            if joined is None or not self.tree.is_file(joined):
                message = f"'{str(file)[:200]}' is extended, but is not among the files"
                self.tell(extends, message, ProblemKind.LIMITED)
                return None
            found_in = joined
        key = (found_in, name)
        if key in chain or len(chain) >= _MAX_EXTENDS:
            self.tell(extends, f"service '{name[:60]}' extends itself, or too many others")
            return None
        if file is not None and found_in != path:
            model = self.model(found_in, folder_of(self.unit.name))
            listed = None if model is None else model.get("services")
        else:
            listed = services
        base = None if listed is None else listed.get(name)
        if base is None or listed is None or not isinstance(base.value, dict):
            self.tell(extends, f"there is no service '{name[:60]}' to extend")
            return None
        return self.resolved(base, listed, found_in, (*chain, key))

    # ---- resources ----

    def add(self, model: Node) -> None:
        project: dict[str, Any] = {}
        name = model.get("name")
        if name is not None:
            project["name"] = name.value
        for key, _ in _KINDS:
            child = model.get(key)
            project[key] = child.plain() if child is not None else {}
        services = model.get("services")
        if services is not None and isinstance(services.value, dict):
            for service_name, service in services.value.items():
                if isinstance(service.value, dict):
                    self.add_service(service_name, service, services, project)
        for key, kind in _KINDS:
            child = model.get(key)
            if child is None or child.value is None:
                continue
            if not isinstance(child.value, dict):
                self.tell(child, f"'{key}' is not a mapping")
                continue
            for each_name, each in child.value.items():
                if isinstance(each.value, dict) or each.value is None:
                    self.emit(kind, each_name, each, each.plain() or {}, project)
                else:
                    self.tell(each, f"{kind} '{each_name[:60]}' is not a mapping")

    def add_service(self, name: str, service: Node, services: Node, project: Mapping[str, Any]) -> None:
        path = service.document.path
        resolved = drop_reset(self.resolved(service, services, path, ((path, name),)))
        if resolved.rest is None and "image" not in resolved.value and "build" not in resolved.value:
            resolved.rest = Unknown(f"service '{name[:60]}' is completed by another file", resolved.location())
        environment = resolved.get("environment")
        written: Any = {}
        if environment is not None and isinstance(environment.value, dict):
            written = {
                key: child.value if child.written is None else child.written for key, child in environment.value.items()
            }
            if environment.rest is not None:
                written = PartialDict(written, environment.rest)
        elif environment is None and resolved.rest is not None:
            written = resolved.rest
        elif environment is not None and isinstance(environment.value, Unknown):
            written = environment.value
        value = resolved.plain()
        value["written"] = written
        self.emit("service", name, resolved, value, project)

    def emit(self, kind: str, name: str, node: Node, value: dict[str, Any], project: Mapping[str, Any]) -> None:
        value["name"] = value.get("name", name) if kind != "service" and isinstance(value.get("name"), str) else name
        value["project"] = project
        header = node.location()

        def locate(path: AttributePath) -> Trace:
            if path and path[0] == "written":
                path = ("environment", *path[1:])
            found = node.find(path)
            place = found.location()
            own = found.document is node.document and found.path[: len(node.path)] == node.path
            # What it extends, or what an override changes, stands elsewhere.
            return Trace(place) if own else Trace(place, ((header, f"{kind} '{name[:60]}' uses it"),))

        address = f"{kind}/{name}"
        self.resources.append(Resource(FORMAT, kind, address, name, value, header, locate, node.extent()))
