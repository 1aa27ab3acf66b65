"""Values of variables that whoever runs the scan gives: further variable files, and the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policy_engine.unit import Problem
from policy_engine_plugins.terraform.files import Files
from policy_engine_plugins.terraform.lexical import SyntaxFault
from policy_engine_plugins.terraform.module import Module
from policy_engine_plugins.terraform.parser import parse_expression
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import Attribute, Block, Expression, Literal, Reference

PREFIX = "TF_VAR_"


def add_values(
    module: Module, var_files: Sequence[tuple[str, bytes]], environment: Mapping[str, str], files: Files
) -> None:
    """Puts them among the module's values as Terraform orders them: a later file over an earlier one and over the
    module's own, the environment below all."""
    for name, block in module.variables.items():
        text = environment.get(PREFIX + name)
        if text is not None:
            module.values.setdefault(name, _from_environment(module, name, text, block))
    for path, data in var_files:
        parsed = files.parse(path if path.endswith((".tfvars", ".tfvars.json")) else f"{path}.tfvars", data)
        module.problems.extend(
            Problem(path, problem.message, problem.span, problem.kind) for problem in parsed.problems
        )
        if parsed.syntax is not None:
            parsed.syntax.source.path = path
            module.values.update(parsed.syntax.body.attributes)


def _from_environment(module: Module, name: str, text: str, block: Block) -> Attribute:
    """The environment holds plain text, but expressions for variables of a type that is no primitive one."""
    source = Source("", text)
    expression: Expression = Literal(0, len(text), text)
    type_ = block.body.attributes.get("type")
    if type_ is not None and not (isinstance(type_.expression, Reference) and type_.expression.steps[0] != "any"):
        try:
            expression = parse_expression(source)
        except SyntaxFault as fault:
            message = f"{PREFIX}{name} in the environment is not understood: {fault.fault.message}"
            module.problems.append(
                Problem(block.source.path, message, block.source.span(block.start, block.header_end))
            )
    return Attribute(name, 0, 0, expression, source)
