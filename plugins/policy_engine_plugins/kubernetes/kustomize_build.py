"""Builds a kustomization with kustomize, or kubectl, in a private copy that names nothing elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from policy_engine.errors import PolicyEngineError
from policy_engine.resource import AttributePath
from policy_engine.tree import Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine_plugins.kubernetes import tool
from policy_engine_plugins.kubernetes.kustomization import HELM_KEYS, Kustomization, Kustomizations, items

MAX_FILES = 5000
MAX_BYTES = 64 << 20
ORIGIN = "config.kubernetes.io/origin"
_PLUGINS = ("generators", "transformers", "validators")
_KEYS = frozenset(
    {
        *("apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels"),
        *("labels", "commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "images", "imageTags"),
        *("replacements", "replicas", "vars", "sortOptions", "resources", "components", "crds", "bases"),
        *("configMapGenerator", "secretGenerator", "generatorOptions", "configurations", "buildMetadata"),
        *HELM_KEYS,
        *_PLUGINS,
    }
)
_FOLDED = {key.casefold(): key for key in sorted(_KEYS)}
# What holds names of files, and below which keys.
_HOLDERS = ("patches", "patchesJson6902", "replacements", "configMapGenerator", "secretGenerator", "openapi")
_FOLDED_NAMING = {key: key for key in ("path", "files", "envs", "env", "patch")}


def find_tool() -> tuple[str, str] | None:
    """The tool's path, and the verb it builds with."""
    for name, verb in (("kustomize", "build"), ("kubectl", "kustomize")):
        path = tool.find(name)
        if path is not None:
            return path, verb
    return None


class Built(Struct):
    """What came of it. `output` is None where it could not be built; `has_origins` where objects tell where they are
    from."""

    output: bytes | None = None
    has_origins: bool = False
    problems: list[Problem] = field(default_factory=list)


def build(root: Kustomization, kustomizations: Kustomizations, paths: Sequence[str], tree: Tree) -> Built:
    import tempfile

    found = find_tool()
    assert found is not None, "asked only where there is one"
    path, verb = found
    built = Built()
    files: dict[str, bytes] = {}
    room = MAX_BYTES
    for name in paths:
        try:
            data = tree.read(name)
        except (OSError, PolicyEngineError):
            continue  # told where the scan meets it; kustomize says that it is missing
        room -= len(data)
        if room < 0 or len(files) >= MAX_FILES:
            message = f"what it is built from is more than {MAX_BYTES >> 20} MiB or {MAX_FILES} files"
            built.problems.append(Problem(root.path, message, None, ProblemKind.TOO_LARGE))
            return built
        files[name] = data
    for each in kustomizations.reached(root):
        gone = list(_left_out(each, kustomizations, built.problems))
        if each.path in files:
            try:
                files[each.path] = _edited(files[each.path], gone, with_origins=each is root)
                _check(each, files[each.path])
            except _NotPlain as error:
                message = f"is not built, so its files are judged one by one: {error}"
                built.problems.append(Problem(each.path, message, each.document.at(())))
                return built
    with tempfile.TemporaryDirectory(prefix="policy-engine-") as folder:
        for name, data in files.items():
            full = os.path.join(folder, "tree", name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as stream:
                stream.write(data)
        arguments = [verb, os.path.join("tree", root.folder)]
        # What would ask the network is left out before, and there is no git to fetch with.
        done = tool.run(path, arguments, folder, without_network=False)
        built.has_origins = not done.error
        if "buildMetadata" in done.error:
            with open(os.path.join(folder, "tree", root.path), "wb") as stream:
                stream.write(_edited(files[root.path], [], with_origins=False))
            done = tool.run(path, arguments, folder, without_network=False)
    if done.error:
        message = f"cannot be built, so its files are judged one by one: {_short(done.error)}"
        built.problems.append(Problem(root.path, message, root.document.at(())))
    else:
        built.output = done.output
    return built


def _left_out(each: Kustomization, kustomizations: Kustomizations, problems: list[Problem]) -> list[AttributePath]:
    """What the copy does not name: what lies elsewhere, is not there, or would run something."""
    gone: list[AttributePath] = []

    def leave_out(path: AttributePath, why: str) -> None:
        gone.append(path)
        message = f"{why}, so it is not evaluated"
        problems.append(Problem(each.path, message, each.document.at(path), ProblemKind.LIMITED))

    value = each.value()
    for key in HELM_KEYS:
        if key in value:
            leave_out((key,), f"'{key}' fetches and renders charts")
    for key in _PLUGINS:
        for index, item in enumerate(items(value, key)):
            if not _is_builtin(each, item, kustomizations.tree):
                leave_out((key, index), f"'{key}' names a plugin, which is not run")
    for named in each.named():
        if named.path[0] in _PLUGINS and named.path[:2] in gone:
            continue
        shown = named.text if len(named.text) <= 100 else named.text[:97] + "..."
        item = named.path[:-1] if named.path[-1] == "path" else named.path
        if named.is_remote:
            leave_out(item, f"'{shown}' is elsewhere and is not fetched")
        elif named.target is None:
            leave_out(item, f"'{shown}' leads outside of what is scanned")
        elif not kustomizations.tree.is_file(named.target):
            inner = kustomizations.at(named.target) if named.role == "resource" else None
            if inner is None:
                leave_out(item, f"'{shown}' is not there")
    return gone


def _is_builtin(each: Kustomization, item: Any, tree: Tree) -> bool:
    """Whether a generator or transformer is one of kustomize's own, and none that renders charts or fetches a file."""
    from policy_engine.tree import join
    from policy_engine.yaml_document import parse_yaml

    if not isinstance(item, str):
        return False
    data = item.encode()
    if "\n" not in item:
        path = join(each.folder, item)
        if path is None:
            return True  # left out as what it is
        try:
            data = tree.read(path)
        except (OSError, PolicyEngineError):
            return False
    documents = parse_yaml(data, each.path).documents
    return (
        b"://" not in data
        and bool(documents)
        and all(
            isinstance(document.value, dict)
            and document.value.get("apiVersion") == "builtin"
            and document.value.get("kind") != "HelmChartInflationGenerator"
            for document in documents
        )
    )


class _NotPlain(Exception):
    """The kustomization is written so that kustomize may read another one out of it than is read here."""


def _edited(data: bytes, gone: Sequence[AttributePath], *, with_origins: bool) -> bytes:
    """A kustomization without some of its entries; every other value keeps the text it is written with. Raises
    _NotPlain."""
    import yaml

    try:
        node = yaml.compose(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        raise _NotPlain("it is not one YAML document without faults") from None
    if not isinstance(node, yaml.MappingNode):
        raise _NotPlain("it is not one YAML document without faults")
    _check_keys(node, _FOLDED)
    for key, value in node.value:
        if key.value in _HOLDERS:
            for item in [value, *(value.value if isinstance(value, yaml.SequenceNode) else ())]:
                if isinstance(item, yaml.MappingNode):
                    _check_keys(item, _FOLDED_NAMING)
    _unshare(node)
    # The last ones first, so that the indexes of the others stay.
    for path in sorted(set(gone), key=lambda path: [(isinstance(step, int), step) for step in path], reverse=True):
        try:
            _remove(node, path)
        except (LookupError, StopIteration, TypeError, ValueError):
            raise _NotPlain(f"'{path[0]}' is merged or repeated from elsewhere") from None
    if with_origins:
        node.value = [pair for pair in node.value if pair[0].value != "buildMetadata"]
        tag = "tag:yaml.org,2002:str"
        wanted = yaml.SequenceNode(
            "tag:yaml.org,2002:seq", [yaml.ScalarNode(tag, "originAnnotations")], flow_style=True
        )
        node.value.append((yaml.ScalarNode(tag, "buildMetadata"), wanted))
    else:
        node.value = [pair for pair in node.value if pair[0].value != "buildMetadata"]
    text: str = yaml.serialize(node, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    return text.encode()


def _check_keys(node: Any, known: Mapping[str, str]) -> None:
    """kustomize takes `Bases` for `bases`, whatever stands in it, and of keys that are given twice another one than we
    do; what a merge brings along has no entry of its own to leave out."""
    seen: set[str] = set()
    for key, _ in node.value:
        name = key.value if isinstance(key.value, str) else ""
        if name == "<<":
            raise _NotPlain("it merges a mapping into itself (<<)")
        if name in seen:
            raise _NotPlain(f"'{name[:60]}' is given twice")
        spelt = known.get(name.casefold(), name)
        if spelt != name:
            raise _NotPlain(f"'{name[:60]}' is not spelt as kustomize documents it: '{spelt}'")
        seen.add(name)


def _check(each: Kustomization, data: bytes) -> None:
    """Whether what will be built names nothing elsewhere, as it is read from the bytes that are given to kustomize."""
    from policy_engine.yaml_document import parse_yaml

    documents = parse_yaml(data, each.path).documents
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise _NotPlain("it is not one YAML document without faults")
    for named in Kustomization(each.folder, documents[0]).named():
        if named.is_remote or named.target is None:
            raise _NotPlain(f"'{named.text[:60]}' cannot be left out")


def _unshare(node: Any) -> None:
    """Lists that an alias repeats become lists of their own: what is left out of one stays in the other."""
    import yaml

    for number, (key, value) in enumerate(node.value):
        if isinstance(value, yaml.SequenceNode):
            node.value[number] = key, yaml.SequenceNode(value.tag, list(value.value), flow_style=value.flow_style)


def _remove(node: Any, path: AttributePath) -> None:
    for step in path[:-1]:
        if isinstance(step, int):
            node = node.value[step]
        else:
            node = next(value for key, value in node.value if key.value == step)
    last = path[-1]
    if isinstance(last, int):
        del node.value[last]
    else:
        node.value = [pair for pair in node.value if pair[0].value != last]


def _short(error: str) -> str:
    return error if len(error) <= 300 else error[:150] + " ... " + error[-145:]
