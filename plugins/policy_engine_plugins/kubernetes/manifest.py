"""Loads a manifest: its documents, the objects in them, and what the objects hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from policy_engine.path import show_path
from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Trace
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlDocument, YamlMapping, YamlSequence, parse_yaml
from policy_engine_plugins.kubernetes import placeholder
from policy_engine_plugins.kubernetes.component import Component, components
from policy_engine_plugins.kubernetes.container import effective, effective_origin, expand, image_name
from policy_engine_plugins.kubernetes.kustomize import OpenMapping, opened
from policy_engine_plugins.kubernetes.pods import HeldPod, further_pods
from policy_engine_plugins.kubernetes.program import started
from policy_engine_plugins.kubernetes.workload import CONTAINER_LISTS, at, is_cluster_scoped, template_path

FORMAT = "kubernetes"
_MAX_NAME = 253
_MAX_TOLD = 100
_NAMELESS = "-"


def load(unit: Unit, tree: Tree) -> Loaded:
    """The objects, pods and containers of the unit's file. A second file is the kustomization whose patch it is."""
    kustomization = next((path for path in unit.paths if path != unit.name), None)
    manifest = Manifests()
    manifest.read(unit.name, tree.read(unit.name), kustomization)
    return manifest.loaded(unit.name)


class Places(Protocol):
    """Where attributes of a document stand. For what a tool has built that is elsewhere than in the document."""

    def at(self, document: YamlDocument, path: AttributePath) -> Trace: ...

    def extent(self, document: YamlDocument, path: AttributePath) -> Location: ...


class Written(Struct, frozen=True):
    """Attributes of a file as it is written."""

    path: str

    def at(self, document: YamlDocument, path: AttributePath) -> Trace:
        return Trace(Location(self.path, document.at(path)))

    def extent(self, document: YamlDocument, path: AttributePath) -> Location:
        return Location(self.path, document.extent(path))


class KubernetesObject(Struct, frozen=True):
    """An object and where it stands. Its names are the written text, even where that is a placeholder."""

    document: YamlDocument
    path: AttributePath
    value: dict[str, Any]
    kind: str
    api_version: str
    namespace: str | None
    name: str

    def address(self) -> str:
        if self.namespace is None and is_cluster_scoped(self.kind):
            return f"{self.kind}/{self.name}"
        return f"{self.kind}/{self.namespace or 'default'}/{self.name}"


class _Pod(Struct, frozen=True):
    """A pod of an object, on its way to be a resource. `name` is what people know it by."""

    owner: KubernetesObject
    held: HeldPod
    name: str
    value: Mapping[str, Any]

    def place(self, wanted: AttributePath) -> AttributePath:
        """Where an attribute of the pod's value stands in the document."""
        if wanted and wanted[0] == "workload":
            return (*self.owner.path, *wanted[1:])
        return (*self.owner.path, *self.held.place(wanted))


class Manifests:
    """Manifests on their way from bytes to the resources of one unit."""

    def __init__(self) -> None:
        self.resources: list[Resource] = []
        self.problems: list[Problem] = []
        self.places: Places = Written("")
        self._has_variables = False
        self._told = self._untold = 0
        self._addresses: dict[str, int] = {}
        self._written_names: dict[int, str] = {}

    def loaded(self, path: str) -> Loaded:
        """Everything; `path` is the file to tell of what was too much to tell."""
        if self._untold:
            message = f"{self._untold} more objects or parts of them are passed over"
            self.problems.append(Problem(path, message, None, ProblemKind.LIMITED))
        return Loaded(self.resources, self.problems)

    def read(self, path: str, data: bytes, kustomization: str | None = None) -> None:
        """A file as it is written."""
        # Kubernetes' own reader knows the booleans and octal numbers of YAML 1.1: `privileged: yes` is true.
        parsed = parse_yaml(data, path, yaml_1_1=True)
        self.problems.extend(_tell_template(problem, data) for problem in parsed.problems)
        self.add(parsed.documents, data, Written(path), path, kustomization)

    def add(
        self,
        documents: Iterable[YamlDocument],
        data: bytes,
        places: Places,
        written_in: str | None,
        kustomization: str | None = None,
        named: Callable[[KubernetesObject], KubernetesObject] | None = None,
    ) -> None:
        """Documents that `data` was read as. `written_in` is its file, None where a tool has made it; `named` may give
        objects another name than the one they have."""
        self.places = places
        self._has_variables = b"$(" in data
        has_placeholders = placeholder.may_hold_placeholders(data)
        for document in documents:
            # All at once: filling in placeholders changes values that objects of a list may share.
            for each in list(self._objects(document, (), document.value, None)):
                if named is not None:
                    each = named(each)
                if has_placeholders:
                    holds_data = each.kind in ("ConfigMap", "Secret")
                    names = placeholder.fill(each.value, written_in, holds_data=holds_data)
                    self._written_names.update(names)
                if kustomization is not None:
                    each = replace(each, value=opened(each.value, kustomization))
                self._add_object(each)

    def _objects(
        self, document: YamlDocument, path: AttributePath, value: Any, inherited: tuple[str, str] | None
    ) -> Iterator[KubernetesObject]:
        """The objects of a document. List items that do not name their kind have `inherited`: api version and kind."""
        if type(value) is not YamlMapping:
            return
        api_version, kind = value.get("apiVersion"), value.get("kind")
        if inherited is not None:
            api_version, kind = api_version or inherited[0], kind or inherited[1]
        if not api_version or not kind:
            if path:
                self._tell(document, path, "is passed over: an item of a list without 'apiVersion' and 'kind'")
            return
        if not isinstance(kind, str):
            self._tell(document, (*path, "kind"), "is passed over: 'kind' is not text")
            return
        if placeholder.is_placeholder(kind):
            self._tell(document, (*path, "kind"), f"is passed over: what kind of object '{kind[:60]}' is, is not known")
            return
        items_key = _items_key(kind, value)
        if items_key is None:
            metadata = value.get("metadata")
            yield KubernetesObject(document, path, value, kind, str(api_version), _namespace(metadata), _name(metadata))
            return
        items = value[items_key]
        if type(items) is YamlSequence:
            typed = kind.removesuffix("List")
            for index, item in enumerate(items):
                place = (*path, items_key, index)
                if type(item) is YamlMapping:
                    yield from self._objects(document, place, item, (str(api_version), typed) if typed else None)
                elif item is not None:
                    self._tell(document, place, "is passed over: an item of a list that is no object")
        elif items is not None:
            self._tell(document, (*path, items_key), f"'{items_key}' is not a list, so its objects are not seen")

    def _add_object(self, each: KubernetesObject) -> None:
        document, path = each.document, each.path
        address = self._unique(each.address())
        places = self.places
        header = places.at(document, (*path, "kind")).location
        whole = places.extent(document, path)

        def locate(wanted: AttributePath) -> Trace:
            return places.at(document, (*path, *wanted))

        self.resources.append(Resource(FORMAT, each.kind, address, each.name, each.value, header, locate, whole))
        for component in components(each.kind, each.api_version, each.value):
            self._add_component(each, address, header, component)
        for held in further_pods(each.kind, each.api_version, each.value):
            named = held.name or "pods"
            self._add_pod(each, f"{address}/{named}", held.name or each.name, header, held)
        inner = template_path(each.kind, each.api_version, each.value)
        if inner is None:
            return
        template = at(each.value, inner)
        spec = dict.get(template, "spec") if isinstance(template, dict) else None
        if isinstance(template, dict) and isinstance(spec, dict):
            self._add_pod(each, address, each.name, header, HeldPod(spec, inner, (*inner, "spec")))
        elif isinstance(template, dict) and spec is not None:
            self._tell_shape(each, (*inner, "spec"), spec, "a mapping", "its pod is not seen")
        elif not isinstance(template, dict) and template is not None:
            self._tell_shape(each, inner, template, "a mapping", "its pod is not seen")

    def _add_component(
        self, each: KubernetesObject, owner_address: str, header: Location, component: Component
    ) -> None:
        document, places = each.document, self.places
        value = {"program": component.program, "flags": component.flags, "workload": each.value}

        def locate(wanted: AttributePath) -> Trace:
            if wanted[:1] == ("workload",):
                return places.at(document, (*each.path, *wanted[1:]))
            return places.at(document, (*each.path, *component.place(wanted)))

        address = self._unique(f"{owner_address}/{component.program}")
        whole = places.extent(document, (*each.path, *component.path))
        self.resources.append(Resource(FORMAT, "component", address, component.program, value, header, locate, whole))

    def _add_pod(self, each: KubernetesObject, owner_address: str, name: str, header: Location, held: HeldPod) -> None:
        document = each.document
        context = {"workload": each.value}
        template = at(each.value, held.template)
        if isinstance(template, dict) and "metadata" in template:
            context["metadata"] = template["metadata"]
        value = _extended(held.spec, context)
        pod = _Pod(each, held, name, value)

        places = self.places

        def locate(wanted: AttributePath) -> Trace:
            return places.at(document, pod.place(wanted))

        whole = places.extent(document, (*each.path, *held.template))
        address = self._unique(f"{owner_address}/pod")
        shown_name = name if held.name is None else f"{each.name}/{name}"
        self.resources.append(Resource(FORMAT, "pod", address, shown_name, value, header, locate, whole))

        for key, role, shown in CONTAINER_LISTS:
            containers = dict.get(held.spec, key)
            place = held.place((key,))
            if isinstance(containers, list):
                for index, container in enumerate(containers):
                    if isinstance(container, dict):
                        self._add_container(pod, f"{owner_address}/{shown}", (key, index), role, container)
                    else:
                        self._tell_shape(each, (*place, index), container, "a mapping", "this container is not seen")
            elif containers is not None:
                self._tell_shape(each, place, containers, "a list", "its containers are not seen")

    def _add_container(
        self, pod: _Pod, prefix: str, place: AttributePath, role: str, container: dict[str, Any]
    ) -> None:
        document, places = pod.owner.document, self.places
        context = expand(container) if self._has_variables else {}
        context["pod"] = pod.value
        context["workload"] = pod.owner.value
        context["role"] = role
        context["effective"] = effective(container, pod.value)
        context["image_name"] = image_name(container)
        running = started({**container, **context})
        context["program"] = running.program if running is not None else None
        if running is not None:
            context["flags"] = running.flags
        value = _extended(container, context)

        def locate(wanted: AttributePath) -> Trace:
            if wanted and running is not None and wanted[0] in ("flags", "program"):
                wanted = running.place(wanted[1:] if wanted[0] == "flags" else ())
            if wanted and wanted[0] == "effective":
                wanted = effective_origin(container, pod.value, wanted[1:])
            if wanted and wanted[0] == "pod":
                found = pod.place(wanted[1:])
            elif wanted and wanted[0] == "workload":
                found = pod.place(wanted)
            elif wanted and wanted[0] == "image_name":
                found = pod.place((*place, "image"))
            elif wanted and wanted[0] == "role":
                found = pod.place(place[:1])
            else:
                found = pod.place((*place, *wanted))
            return places.at(document, found)

        name = self._written_names.get(id(container)) or _name(container)
        address = self._unique(f"{prefix}/{name}")
        where = pod.place(place)
        header = places.at(document, where).location
        whole = places.extent(document, where)
        # A Knative container need not have a name.
        shown = pod.name if name == _NAMELESS else name
        self.resources.append(Resource(FORMAT, "container", address, shown, value, header, locate, whole))

    def _unique(self, address: str) -> str:
        """Objects of one name in one file (two groups, two overlays, a mistake) are told apart by their order."""
        count = self._addresses.get(address, 0) + 1
        self._addresses[address] = count
        return address if count == 1 else f"{address}#{count}"

    def _tell(self, document: YamlDocument, path: AttributePath, message: str) -> None:
        if self._told >= _MAX_TOLD:
            self._untold += 1
            return
        self._told += 1
        place = self.places.at(document, path).location
        self.problems.append(Problem(place.path, message, place.span, ProblemKind.LIMITED))

    def _tell_shape(
        self, each: KubernetesObject, path: AttributePath, value: Any, wanted: str, consequence: str
    ) -> None:
        shown = show_path(path)
        if type(value) is Unknown:
            message = f"{each.kind} '{each.name}': {shown} is not known ({value.reason}), so {consequence}"
        else:
            message = f"{each.kind} '{each.name}': {shown} is not {wanted}, so {consequence}"
        self._tell(each.document, (*each.path, *path), message)


def _items_key(kind: str, value: Mapping[str, Any]) -> str | None:
    """The key under which an object is nothing but a holder of other objects."""
    if kind.endswith("List") and "items" in value:
        return "items"
    if kind == "Template" and "objects" in value:
        return "objects"
    return None


def _extended(value: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """The value with further keys, open where it is open."""
    extended = {**value, **context}
    return OpenMapping(extended, value.missing) if type(value) is OpenMapping else extended


def _name(metadata: Any) -> str:
    name = at(metadata, ("name",))
    if name is not None:
        return _scalar(name)
    prefix = at(metadata, ("generateName",))
    return f"{_scalar(prefix)}*" if prefix is not None else _NAMELESS


def _namespace(metadata: Any) -> str | None:
    namespace = at(metadata, ("namespace",))
    # Unknown is the namespace that a chart is installed into: none that the object names.
    return None if namespace is None or type(namespace) is Unknown else _scalar(namespace)


def _scalar(value: Any) -> str:
    return str(value)[:_MAX_NAME] if isinstance(value, (str, int, float)) else _NAMELESS


def _tell_template(problem: Problem, data: bytes) -> Problem:
    if problem.kind is ProblemKind.LIMITED or not (b"{{" in data or b"{%" in data):
        return problem
    found = problem.message.partition("; if this is a template")[0]
    message = f"looks like a template, which has to be rendered before it can be scanned ({found})"
    return Problem(problem.path, message, problem.span, problem.kind)
