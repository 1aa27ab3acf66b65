"""Conditions of a template, in three-valued (Kleene) logic."""

from __future__ import annotations

from typing import Any

from policy_engine.truth import kleene_all, kleene_any
from policy_engine.unknown import Unknown
from policy_engine_plugins.cloudformation.scope import Scope
from policy_engine_plugins.cloudformation.syntax import Call, call_of
from policy_engine_plugins.cloudformation.values import NO_VALUE, equal, text_of


def decide(node: Any, scope: Scope, depth: int = 0) -> bool | Unknown:
    """Whether a condition holds."""
    from policy_engine_plugins.cloudformation.evaluate import MAX_DEPTH, condition_name, evaluate

    if depth > MAX_DEPTH:
        return Unknown(f"the condition is nested deeper than {MAX_DEPTH} levels")
    if not scope.stack.workspace.spend(1):
        return Unknown("evaluating the template takes more steps than a scan allows")
    call = call_of(node)
    if call is None and isinstance(node, dict) and len(node) == 1 and "Condition" in node:
        call = Call("Condition", node["Condition"], ("Condition",))
    if call is None:
        value = text_of(node)
        return value.lower() == "true" if value is not None and value.lower() in ("true", "false") else _misshapen()
    argument = call.argument
    if call.name == "Condition":
        return scope.stack.condition(condition_name(argument, scope)) if isinstance(argument, str) else _misshapen()
    if call.name == "Fn::Not":
        inner = argument[0] if isinstance(argument, list) and len(argument) == 1 else argument
        answer = decide(inner, scope, depth + 1)
        return answer if isinstance(answer, Unknown) else not answer
    if call.name in ("Fn::And", "Fn::Or") and isinstance(argument, list):
        answers = (decide(item, scope, depth + 1) for item in argument)
        return kleene_all(answers) if call.name == "Fn::And" else kleene_any(answers)
    if call.name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
        first, second = (evaluate(item, scope, depth + 1) for item in argument)
        if first is NO_VALUE or second is NO_VALUE:
            return _misshapen()
        return equal(first, second)
    if call.name in ("Fn::And", "Fn::Or", "Fn::Equals"):
        return _misshapen()
    value = evaluate(node, scope, depth + 1)
    if isinstance(value, (bool, Unknown)):
        return value
    text = text_of(value)
    return text.lower() == "true" if text is not None and text.lower() in ("true", "false") else _misshapen()


def _misshapen() -> Unknown:
    return Unknown("the condition is none that CloudFormation understands")
