"""Several hundred templates in the shape of the public samples: no crash, and read as cfn-lint reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode

from cloudformation_templates import template, templates
from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree
from policy_engine.unit import ProblemKind
from policy_engine_plugins.cloudformation.syntax import call_of
from policy_engine_plugins.cloudformation.template import read_template

CORPUS = Path(__file__).parent.parent / "corpus" / "cloudformation"
COUNT = 420


def test_hundreds_of_templates_are_scanned(plugins: Plugins, rulebook: Rulebook) -> None:
    files = {name: text.encode() for name, text in templates(COUNT)}
    report = scan(MemoryTree(files), sorted(files), plugins, rulebook, Settings())
    assert [problem for problem in report.problems if problem.kind is not ProblemKind.LIMITED] == []
    assert all("cloudformation" in entry.formats for entry in report.ledger.entries)
    assert len(report.ledger.entries) == COUNT


def _read_by_cfn_lint(path: Path) -> Any:
    value, matches = decode(str(path))
    assert not matches, matches
    return value


def _long(node: Any) -> Any:
    """A node of ours with every short form written out, as cfn-lint decodes it."""
    call = call_of(node)
    if call is not None:
        argument = call.argument
        if call.name == "Fn::GetAtt" and isinstance(argument, str):
            return {call.name: argument.split(".", 1)}
        return {call.name: _long(argument)}
    if isinstance(node, dict):
        return {str(key): _long(item) for key, item in node.items()}
    return [_long(item) for item in node] if isinstance(node, list) else node


def _texts(node: Any) -> Any:
    """A node of cfn-lint as plain values; keys are texts, and what its reader makes of long forms stays."""
    if isinstance(node, dict):
        found = {str(key): _texts(item) for key, item in node.items()}
        attribute = found.get("Fn::GetAtt")
        if len(found) == 1 and isinstance(attribute, str):
            return {"Fn::GetAtt": attribute.split(".", 1)}
        return found
    if isinstance(node, list):
        return [_texts(item) for item in node]
    if isinstance(node, date):
        return node.isoformat()  # CloudFormation takes a date for text
    return str(node) if isinstance(node, str) else node


def _same(path: Path) -> None:
    ours = read_template(path.name, path.read_bytes())
    assert _long(dict(ours.value)) == _texts(_read_by_cfn_lint(path))


@pytest.mark.parametrize("number", range(60))
def test_a_sample_is_read_as_cfn_lint_reads_it(number: int, tmp_path: Path) -> None:
    name, text = template(number)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    _same(path)


@pytest.mark.parametrize(
    "path",
    sorted(path for path in CORPUS.rglob("*.*") if path.is_file()),
    ids=lambda path: str(path.relative_to(CORPUS)),
)
def test_the_corpus_is_read_as_cfn_lint_reads_it(path: Path) -> None:
    if "broken" not in path.parts:
        _same(path)
