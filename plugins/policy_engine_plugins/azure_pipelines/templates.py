"""Templates: where `- template: path` leads, what is handed over to them, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.placed import Origin, origin_of
from policy_engine.scalar_source import ScalarSource
from policy_engine.tree import FileTooLarge, Tree, join
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlMapping
from policy_engine_plugins.azure_pipelines import is_pipeline_name
from policy_engine_plugins.azure_pipelines.expanding import OPEN, Expander, Piece
from policy_engine_plugins.azure_pipelines.reading import FILES
from policy_engine_plugins.azure_pipelines.scope import Given, Scope

MAX_TEMPLATES = 2000
MAX_NESTING = 50


def resolve(name: str, path: str, tree: Tree) -> str | None:
    """The file that a template's name leads to from `path`; None where it is not in the repository."""
    name, at, repository = name.partition("@")
    if at and repository != "self":
        return None
    name = name.strip().replace("\\", "/")
    folder = path.rpartition("/")[0]
    if not name.startswith("/"):
        found = join(folder, name)
        return found if found and tree.is_file(found) else None
    # From the repository's root, which may be a folder of the scanned one.
    while True:
        found = join(folder, name.lstrip("/"))
        if found and tree.is_file(found):
            return found
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


class Templates:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.problems: list[Problem] = []
        self.expander = Expander(self.put)
        self.elsewhere: list[tuple[str, Origin]] = []
        self._sources: dict[str, ScalarSource] = {}
        self._opened = 0

    def open(self, path: str) -> tuple[Any, Origin] | None:
        """The mapping that a file holds; None where it holds none, which is told."""
        try:
            data = self.tree.read(path)
        except (OSError, FileTooLarge) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.problems.append(Problem(path, f"cannot be read: {reason}", None, ProblemKind.UNREADABLE))
            return None
        parsed = FILES.parse(data, path)
        self.problems.extend(problem for problem in parsed.problems if problem not in self.problems)
        if not parsed.documents:
            if not parsed.problems:
                self.problems.append(Problem(path, "the pipeline file is empty"))
            return None
        document = parsed.documents[0]
        origin = Origin(document, (), self._sources.setdefault(path, ScalarSource(data, "${{")))
        if type(document.value) is not YamlMapping:
            self.expander.tell(origin, "a pipeline file holds a mapping")
            return None
        return document.value, origin

    def scope(
        self, value: Mapping[str, Any], origin: Origin, arguments: Mapping[str, Given], above: Scope | None
    ) -> Scope:
        """What the expressions of a file mean: its parameters have what was handed over, or their defaults."""
        file = origin.document.path
        files = (*(above.files if above is not None else ()), file)
        given: dict[str, Given] = {}
        declared = value.get("parameters")
        if isinstance(declared, list):
            place = origin_of(value, origin, "parameters")
            for number, entry in enumerate(declared):
                if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                    name = entry["name"]
                    bounded = bool(entry.get("values")) or entry.get("type") in ("boolean", "number", *_OBJECTS)
                    at = origin_of(declared, place, number)
                    default = Given(
                        entry["default"] if "default" in entry else Unknown(f"parameter '{name}' has no default"),
                        origin_of(entry, at, "default") if "default" in entry else None,
                        above is None,
                        bounded,
                    )
                    given[name.lower()] = arguments.get(name.lower(), default)
        elif isinstance(declared, dict):
            place = origin_of(value, origin, "parameters")
            for name, default_value in declared.items():
                default = Given(default_value, origin_of(declared, place, name), above is None)
                given[str(name).lower()] = arguments.get(str(name).lower(), default)
        if above is None:
            return Scope(files, given, outermost=not is_template(value, file))
        return Scope(files, given, above.variables)

    def arguments(self, piece: Piece) -> dict[str, Given]:
        """What a call hands over, worked out where it is called."""
        value = piece.value
        if "parameters" not in value:
            return {}
        place = origin_of(value, piece.origin, "parameters")
        handed: dict[str, Given] = {}
        for name, each in self.expander.fields(piece._replace(value=value["parameters"], origin=place)):
            before, self.expander.chosen = self.expander.chosen, False
            found, where = self.expander.expand(each)
            handed[name.lower()] = Given(found, where, self.expander.chosen)
            self.expander.chosen = before or self.expander.chosen
        return handed

    def put(self, piece: Piece, kind: str) -> Iterator[Piece]:
        """The items of a template in place of its call."""
        opened = self.call(piece)
        if opened is None:
            return
        value, origin, scope = opened
        for key, each in self.expander.fields(Piece(value, origin, scope, piece.doubt)):
            if key == kind:
                yield from self.expander.items(each, kind)

    def call(self, piece: Piece) -> tuple[Any, Origin, Scope] | None:
        """The template's mapping with the scope of this call; None, told, where it cannot be followed."""
        value = piece.value
        place = origin_of(value, piece.origin, "template")
        name, _ = self.expander.expand(piece._replace(value=value["template"], origin=place))
        if not isinstance(name, str):
            self.elsewhere.append(("?", place))
            self.expander.tell(place, "which template is used is not known", ProblemKind.LIMITED)
            return None
        path = resolve(name, piece.origin.document.path, self.tree)
        if path is None:
            self.elsewhere.append((name, place))
            where = "is in another repository" if "@" in name else "is not in the scanned files"
            self.expander.tell(
                place, f"the template '{name[:100]}' {where}; what it defines is not seen", ProblemKind.LIMITED
            )
            return None
        self._opened += 1
        if path in piece.scope.files:
            self.expander.tell(place, f"the template '{name[:100]}' uses itself")
            return None
        if self._opened > MAX_TEMPLATES or len(piece.scope.files) > MAX_NESTING:
            self.expander.tell(place, f"more than {MAX_TEMPLATES} templates are used, or they nest too deeply")
            return None
        opened = self.open(path)
        if opened is None:
            return None
        body, origin = opened
        return body, origin, self.scope(body, origin, self.arguments(piece), piece.scope)


_OBJECTS = (
    "object step stepList job jobList deployment deploymentList stage stageList".split(" ")  # noqa: SIM905 - a table
)


def is_template(value: Mapping[str, Any], path: str) -> bool:
    """Whether a file can only be a template, so that pipelines give its parameters and not whoever runs it: they are
    declared in the form that only templates have, or nothing in it says when it runs."""
    declared = value.get("parameters")
    if isinstance(declared, dict):
        return True
    return declared is not None and not is_pipeline_name(path) and _TEMPLATE_KEYS.issuperset(value)


_TEMPLATE_KEYS = frozenset({"parameters", "variables", "steps", "jobs", "stages"})


def template_names(value: Any, path: str) -> Iterator[str]:
    """The names of all templates that a file mentions, wherever they stand."""
    waiting = [value]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, (dict, list)):
            if id(each) in seen:
                continue
            seen.add(id(each))
        if isinstance(each, dict):
            name = each.get("template")
            if isinstance(name, str) and OPEN not in name:
                yield name
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
