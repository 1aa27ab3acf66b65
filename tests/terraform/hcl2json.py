"""A configuration as HashiCorp's parser sees it, by the npm package @cdktf/hcl2json; and ours in the same shape."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policy_engine_plugins.terraform.parser import parse
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import (
    Body,
    Conditional,
    Expression,
    ForDirective,
    IfDirective,
    Interpolation,
    Invalid,
    ListExpression,
    Literal,
    ObjectExpression,
    Part,
    Template,
    Text,
    Unary,
)
from policy_engine_plugins.terraform.values import to_text

PACKAGE = "@cdktf/hcl2json@0.21.0"
_SCRIPT = """
const { parse } = require('@cdktf/hcl2json');
const files = JSON.parse(require('fs').readFileSync(0, 'utf8'));
(async () => {
  const read = {};
  for (const [name, text] of Object.entries(files)) {
    try { read[name] = { value: await parse(name, text) }; } catch (error) { read[name] = { error: error.message }; }
  }
  process.stdout.write(JSON.stringify(read), () => process.exit(0));
})();
"""


def available() -> bool:
    return shutil.which("npm") is not None and shutil.which("node") is not None


def theirs(files: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """For each file its value or its error; the package is installed into the folder."""
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    done = subprocess.run(
        ["node", "-e", _SCRIPT],
        cwd=folder,
        input=json.dumps(files),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ours(text: str) -> dict[str, Any]:
    """The same of our parser: a value, or the first fault."""
    source = Source("x.tf", text)
    tree = parse(source)
    if tree.faults:
        return {"error": tree.faults[0].message}
    return {"value": _body(tree.body, source)}


def _body(body: Body, source: Source) -> dict[str, Any]:
    made: dict[str, Any] = {name: _value(one.expression, source) for name, one in body.attributes.items()}
    for block in body.blocks:
        place: dict[str, Any] = made
        names = [block.type, *(label.value for label in block.labels)]
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place.setdefault(names[-1], []).append(_body(block.body, source))
    return made


def _value(node: Expression, source: Source) -> Any:
    if isinstance(node, Literal):
        return _escaped(node.value) if isinstance(node.value, str) else _number(node.value)
    if isinstance(node, Unary) and isinstance(node.operand, Literal):
        constant = node.operand.value  # such are worked out there
        if node.operator == "!" and isinstance(constant, bool):
            return not constant
        if node.operator == "-" and isinstance(constant, (int, float)):
            return _number(-constant)
    if isinstance(node, Template):
        if len(node.parts) == 1 and isinstance(node.parts[0], Interpolation) and not node.heredoc:
            return _value(node.parts[0].expression, source)
        return "".join(_part(part, source) for part in node.parts)
    if isinstance(node, ListExpression):
        return [_value(item, source) for item in node.items]
    if isinstance(node, ObjectExpression):
        return {_key(item.key, source): _value(item.value, source) for item in node.items}
    return f"${{{source.text[node.start : node.end]}}}"


def _key(node: Expression, source: Source) -> str:
    if isinstance(node, Literal):
        # A word, a quoted text or a number as it is written.
        return str(node.value)
    if isinstance(node, Invalid):
        return source.text[node.start : node.end]  # `aws.west`, the name of a provider configuration
    value = _value(node, source)
    return value if isinstance(value, str) else json.dumps(value)


def _part(part: Part, source: Source) -> str:
    if isinstance(part, Text):
        return _escaped(part.value)
    if isinstance(part, Interpolation) and isinstance(part.expression, Literal):
        return "null" if part.expression.value is None else _escaped(to_text(part.expression.value))
    if isinstance(part, Interpolation) and isinstance(part.expression, Conditional):
        # Its tree does not tell a conditional from a directive.
        condition, then, otherwise = part.expression.condition, part.expression.then, part.expression.otherwise
        sides = [_part(Interpolation(side.start, side.end, side), source) for side in (then, otherwise)]
        return f"%{{if {source.text[condition.start : condition.end]}}}{sides[0]}%{{else}}{sides[1]}%{{endif}}"
    if isinstance(part, Interpolation):
        return f"${{{source.text[part.expression.start : part.expression.end]}}}"
    if isinstance(part, IfDirective):
        condition = source.text[part.condition.start : part.condition.end]
        then, otherwise = ("".join(_part(one, source) for one in side) for side in (part.then, part.otherwise))
        return f"%{{if {condition}}}{then}" + (f"%{{else}}{otherwise}" if part.otherwise else "") + "%{endif}"
    assert isinstance(part, ForDirective)
    names = part.value_name if part.key_name is None else f"{part.key_name}, {part.value_name}"
    collection = source.text[part.collection.start : part.collection.end]
    return f"%{{for {names} in {collection}}}{''.join(_part(one, source) for one in part.parts)}%{{endfor}}"


def _escaped(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _number(value: Any) -> Any:
    # JavaScript has one kind of number.
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
