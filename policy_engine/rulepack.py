"""Folders of rules: read, checked and kept as JSON by format, so that a scan reads only what it needs.

A pack is a folder of `<id>.yaml` files, in subfolders as its author likes, each with its examples beside it in
`<id>.test.yaml`. Reading YAML and checking it against the schema would take most of a short scan's time, so the
result is kept: with the wheel for the rules that ship, in the user's cache for others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from policy_engine.errors import RuleError
from policy_engine.rule import Rule, Severity, Target
from policy_engine.span import Span

COMPILED_FOLDER = "compiled"
EXAMPLES_ENDING = ".test.yaml"
_LAYOUT = 1
"""Counts the layouts of the compiled form; a change makes every kept pack stale."""


class RulePack(Struct, frozen=True):
    """A folder of rule files that a plugin ships: `name` for messages, `path` absolute."""

    name: str
    path: str


class Mistake(Struct, frozen=True):
    """Something wrong with a rule file or its examples."""

    path: str
    message: str
    span: Span | None = None

    def __str__(self) -> str:
        place = f":{self.span.start_line}:{self.span.start_column}" if self.span else ""
        return f"{self.path}{place}: {self.message}"


class CompiledPack(Struct, frozen=True):
    """A pack as it is kept: an index of all rules, and the rules by format, read when asked for."""

    pack: RulePack
    index: Mapping[str, Mapping[str, Any]]
    """By rule id: path, formats, aliases, tags, controls, severity."""
    _folder: str | None
    _documents: Mapping[str, Sequence[Mapping[str, Any]]] | None
    _read: dict[str, Sequence[Rule]] = field(default_factory=dict)

    def rules(self, format_name: str) -> Sequence[Rule]:
        """Raises RuleError where they are not there though the index names some: none is passed over in silence."""
        rules = self._read.get(format_name)
        if rules is None:
            documents = self._of_format(format_name)
            rules = self._read[format_name] = [rule_from(document, self.pack.name) for document in documents]
        return rules

    def _of_format(self, format_name: str) -> Sequence[Mapping[str, Any]]:
        if self._documents is not None:
            return self._documents.get(format_name, ())
        assert self._folder is not None
        place = os.path.join(self._folder, f"{format_name}.json")
        documents: Sequence[Mapping[str, Any]] | None = _load(place)
        if documents is None and any(format_name in entry["formats"] for entry in self.index.values()):
            raise RuleError(
                f"the compiled rules of '{self.pack.name}' cannot be read; remove their folder, or install the package "
                "again",
                path=place,
            )
        return documents or ()

    def all_rules(self) -> list[Rule]:
        formats = sorted({name for entry in self.index.values() for name in entry["formats"]})
        rules = {rule.id: rule for name in formats for rule in self.rules(name)}
        return [rules[name] for name in sorted(rules)]


def rule_files(folder: str) -> list[str]:
    """Paths of the rule files below a folder, relative to it, sorted."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != COMPILED_FOLDER)
        for name in files:
            if name.endswith((".yaml", ".yml")) and not name.endswith((EXAMPLES_ENDING, ".test.yml")):
                found.append(os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/"))
    return sorted(found)


def load_pack(pack: RulePack, version: str, cache: str | None) -> CompiledPack:
    """The pack in compiled form: shipped, from the cache, or made now and put into the cache.

    Raises RuleError for the first mistake, telling how many there are.
    """
    if not os.path.isdir(pack.path):
        raise RuleError(f"the rule folder '{pack.path}' of '{pack.name}' does not exist")
    kept = _open(pack, os.path.join(pack.path, COMPILED_FOLDER), version)
    if kept is not None:
        return kept
    place = None if cache is None else os.path.join(cache, "rules", _cache_key(pack, version))
    if place is not None:
        kept = _open(pack, place, version)
        if kept is not None:
            return kept
    documents, mistakes = read_rules(pack.path, shown_as=_shown(pack))
    if mistakes:
        first = mistakes[0]
        more = f" (and {len(mistakes) - 1} more; `policy-engine rules lint` lists them)" if len(mistakes) > 1 else ""
        raise RuleError(first.message + more, path=first.path, span=first.span)
    by_format, index = _compiled(documents)
    if place is not None:
        write_compiled(documents, place, version)
    return CompiledPack(pack, index, None, by_format)


def _shown(pack: RulePack) -> str:
    shown = os.path.relpath(pack.path)
    return pack.path if shown.startswith("..") else shown


def _load(path: str) -> Any:
    try:
        with open(path, "rb") as stream:
            return json.loads(stream.read())
    except (OSError, ValueError):
        return None


def _open(pack: RulePack, folder: str, version: str) -> CompiledPack | None:
    stored = _load(os.path.join(folder, "index.json"))
    if stored is None or stored.get("engine") != version or stored.get("layout") != _LAYOUT:
        return None
    return CompiledPack(pack, stored["rules"], folder, None)


def _cache_key(pack: RulePack, version: str) -> str:
    import hashlib

    digest = hashlib.sha256(f"{_LAYOUT}\0{version}\0{os.path.realpath(pack.path)}".encode())
    for path in rule_files(pack.path):
        status = os.stat(os.path.join(pack.path, path))
        digest.update(f"\0{path}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _compiled(
    documents: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, list[Mapping[str, Any]]], dict[str, dict[str, Any]]]:
    by_format: dict[str, list[Mapping[str, Any]]] = {}
    index: dict[str, dict[str, Any]] = {}
    for document in documents:
        formats = list(dict.fromkeys(target["format"] for target in document["targets"]))
        for name in formats:
            by_format.setdefault(name, []).append(document)
        index[document["id"]] = {
            "path": document["path"],
            "formats": formats,
            "aliases": document.get("aliases", []),
            "tags": document.get("tags", []),
            "controls": document["controls"],
            "severity": document["severity"],
        }
    return by_format, index


def write_compiled(documents: Sequence[Mapping[str, Any]], folder: str, version: str) -> None:
    """Writes the compiled form; the index comes last, so that a reader sees all of it or none.

    A cache that cannot be written is done without.
    """
    from policy_engine.cache import write_atomically

    by_format, index = _compiled(documents)
    for name, part in by_format.items():
        write_atomically(os.path.join(folder, f"{name}.json"), json.dumps(part).encode())
    stored = {"engine": version, "layout": _LAYOUT, "rules": index}
    write_atomically(os.path.join(folder, "index.json"), json.dumps(stored).encode())


def read_rules(folder: str, *, shown_as: str) -> tuple[list[dict[str, Any]], list[Mistake]]:
    """Every rule file below a folder as a plain document (with its `path` added), and every mistake in them.

    Checked are the YAML, the schema, the conditions, file name against id, and ids used twice. Names of checks,
    controls and formats are for `rules lint` and for the scan, which know the plugins.
    """
    documents: list[dict[str, Any]] = []
    mistakes: list[Mistake] = []
    owners: dict[str, str] = {}
    schema: Mapping[str, Any] | None = None
    for relative in rule_files(folder):
        if schema is None:
            from policy_engine.schema import rule_schema

            schema = rule_schema()
        shown = f"{shown_as}/{relative}"
        document, found = _read_rule(os.path.join(folder, relative), relative, shown, schema)
        mistakes.extend(found)
        if document is None:
            continue
        for name in (document["id"], *document.get("aliases", [])):
            if name in owners:
                mistakes.append(Mistake(shown, f"id '{name}' is already taken by {owners[name]}"))
            owners.setdefault(name, shown)
        documents.append(document)
    return documents, mistakes


def _read_rule(
    full: str, relative: str, shown: str, schema: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[Mistake]]:
    from policy_engine.condition import ConditionError, compile_target
    from policy_engine.schema import mistakes as schema_mistakes
    from policy_engine.yaml_document import parse_yaml

    try:
        with open(full, "rb") as stream:
            data = stream.read()
    except OSError as error:
        return None, [Mistake(shown, f"cannot be read: {error.strerror}")]
    parsed = parse_yaml(data, shown)
    if parsed.problems:
        return None, [Mistake(problem.path, problem.message, problem.span) for problem in parsed.problems]
    if len(parsed.documents) != 1:
        return None, [Mistake(shown, f"a rule file holds one document, not {len(parsed.documents)}")]
    (source,) = parsed.documents
    found = [Mistake(shown, message, source.at(path)) for path, message in schema_mistakes(source.value, schema)]
    if found:
        return None, found
    rule: dict[str, Any] = _plain(source.value)
    for number, target in enumerate(rule["targets"]):
        try:
            compile_target(target.get("when"), target["require"], _AnyCheck(), ("targets", number))
        except ConditionError as error:
            found.append(Mistake(shown, str(error), source.at(error.path)))
    name = os.path.basename(relative)
    if os.path.splitext(name)[0] != rule["id"]:
        found.append(Mistake(shown, f"the file is named '{name}', but the id is '{rule['id']}'", source.at(("id",))))
    rule["path"] = relative
    return (None if found else rule), found


class _AnyCheck(dict[str, Any]):
    """Takes every check name as known."""

    def get(self, name: str, default: Any = None) -> Any:
        from policy_engine.check import Check

        return Check(name, lambda *_: (), {})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def rule_from(document: Mapping[str, Any], pack: str) -> Rule:
    """A rule from its document, which has been checked."""
    return Rule(
        id=document["id"],
        title=document["title"],
        severity=Severity(document["severity"]),
        controls=tuple(document["controls"]),
        rationale=document["rationale"].strip(),
        targets=tuple(_targets(document["targets"])),
        message=document["message"].strip(),
        remediation=document["remediation"].strip(),
        path=document["path"],
        references=tuple(document.get("references", ())),
        controls_2013=tuple(document.get("controls_2013", ())),
        tags=tuple(document.get("tags", ())),
        aliases=tuple(document.get("aliases", ())),
        precision=document.get("precision", "high"),
        sensitive=document.get("sensitive", False),
        pack=pack,
    )


def _targets(documents: Sequence[Mapping[str, Any]]) -> Iterator[Target]:
    for document in documents:
        types = document["resource"]
        yield Target(
            format=document["format"],
            resources=(types,) if isinstance(types, str) else tuple(types),
            require=document["require"],
            when=document.get("when"),
            message=document.get("message"),
            remediation=document.get("remediation"),
        )
