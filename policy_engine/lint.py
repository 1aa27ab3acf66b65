"""What is wrong with rules beyond what reading them tells: names of controls, formats, resource types and checks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from policy_engine.harness import examples_path, missing_examples, read_cases
from policy_engine.resource import AttributePath
from policy_engine.rulepack import Mistake, read_rules, rule_from
from policy_engine.span import Span
from policy_engine.suggestion import suggest
from policy_engine.suppression import POLICY_TYPES, RESOURCE_FORMAT

if TYPE_CHECKING:
    from policy_engine.plugins import Plugins

PLACEHOLDERS = ["{name}", "{address}", "{type}", "{path}", "{value}", "{detail}"]
_TOP = Span(0, 0, 0, 0)
CATALOGUES = {"controls": "iso27001-2022", "controls_2013": "iso27001-2013"}


def lint_folder(folder: str, shown: str, plugins: Plugins, *, examples: bool = True) -> tuple[int, list[Mistake]]:
    """How many rules a folder holds, and every mistake in them and their examples."""
    documents, mistakes = read_rules(folder, shown_as=shown)
    for document in documents:
        path = f"{shown}/{document['path']}"
        wrong = list(_names(document, plugins))
        if wrong:
            source = _source(os.path.join(folder, document["path"]), path)
            mistakes.extend(Mistake(path, message, source.at(place)) for place, message in wrong)
        if examples:
            rule = rule_from(document, shown)
            file = examples_path(document["path"])
            cases, found = read_cases(rule, os.path.join(folder, file), f"{shown}/{file}", plugins)
            mistakes.extend(found)
            if not found:
                mistakes.extend(Mistake(f"{shown}/{file}", lack) for lack in missing_examples(rule, cases, plugins))
    return len(documents), sorted(mistakes, key=lambda each: (each.path, each.span or _TOP, each.message))


def _source(full: str, shown: str) -> Any:
    from policy_engine.yaml_document import parse_yaml

    with open(full, "rb") as stream:
        return parse_yaml(stream.read(), shown).documents[0]


def _names(document: Mapping[str, Any], plugins: Plugins) -> Iterator[tuple[AttributePath, str]]:
    for key, catalogue in CATALOGUES.items():
        if catalogue in plugins.framework_sources:
            known = plugins.framework(catalogue).controls
            for number, name in enumerate(document.get(key, ())):
                if name not in known:
                    yield (key, number), f"unknown control '{name}'{suggest(name, list(known))}"
    for key in ("message", "remediation"):
        yield from _placeholders(document[key], (key,))
    for number, target in enumerate(document["targets"]):
        place: AttributePath = ("targets", number)
        yield from _target_names(target, place, plugins)
        for key in ("message", "remediation"):
            yield from _placeholders(target.get(key, ""), (*place, key))
        for key in ("when", "require"):
            yield from _checks(target.get(key), (*place, key), plugins)


def _target_names(
    target: Mapping[str, Any], place: AttributePath, plugins: Plugins
) -> Iterator[tuple[AttributePath, str]]:
    name = target["format"]
    if name == RESOURCE_FORMAT:
        known: Sequence[str] | None = POLICY_TYPES
    elif name in plugins.formats:
        known = plugins.formats[name].resource_types
    else:
        yield (*place, "format"), f"unknown format '{name}'{suggest(name, [*plugins.formats, RESOURCE_FORMAT])}"
        return
    types = target["resource"]
    for each in [types] if isinstance(types, str) else types:
        if known is not None and each not in known:
            yield (*place, "resource"), f"{name} has no resource type '{each}'{suggest(each, list(known))}"


def _placeholders(text: str, place: AttributePath) -> Iterator[tuple[AttributePath, str]]:
    import re

    for name in re.findall(r"(?<![$\\{])\{([a-z_]+)\}(?!\})", text):
        if f"{{{name}}}" not in PLACEHOLDERS:
            yield place, f"unknown placeholder '{{{name}}}'{suggest(f'{{{name}}}', PLACEHOLDERS)}"


def _checks(node: Any, place: AttributePath, plugins: Plugins) -> Iterator[tuple[AttributePath, str]]:
    """Every `check:` in a condition names a registered check and gives it the parameters it takes."""
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from _checks(child, (*place, number), plugins)
    elif isinstance(node, dict):
        name = node.get("check")
        if isinstance(name, str):
            check = plugins.checks.get(name)
            if check is None:
                yield (*place, "check"), f"unknown check '{name}'{suggest(name, plugins.checks)}"
            else:
                from policy_engine.schema import mistakes

                for path, message in mistakes(node.get("with", {}), check.parameters):
                    yield (*place, "with", *path), f"check '{name}': {message}"
        for key in ("all", "any", "not", "satisfies", "where"):
            if key in node:
                yield from _checks(node[key], (*place, key), plugins)
