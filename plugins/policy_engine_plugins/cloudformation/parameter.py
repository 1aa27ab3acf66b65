"""What a parameter's value is, as far as the template says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.span import Location
from policy_engine.unknown import Unknown
from policy_engine_plugins.cloudformation.values import text_of, unknown_text

_PARAMETER_STORE = "AWS::SSM::Parameter::Value<"


def is_hidden(declaration: Any) -> bool:
    """Whether a parameter is declared with NoEcho. Anything but a plain false counts."""
    if not isinstance(declaration, dict) or declaration.get("NoEcho") is None:
        return False
    return (text_of(declaration["NoEcho"]) or "true").lower() != "false"


def default_of(declaration: Mapping[str, Any]) -> Any:
    """The default, or the only value that is allowed; None where there is neither."""
    default = declaration.get("Default")
    if default is not None:
        return default
    allowed = declaration.get("AllowedValues")
    return allowed[0] if isinstance(allowed, list) and len(allowed) == 1 else None


def value_of(name: str, declaration: Any, address: str, origin: Location) -> Any:
    """A parameter's value where nobody gives it one."""
    if not isinstance(declaration, dict):
        return Unknown(f"parameter '{name}' is not declared as a mapping", origin)
    type_ = text_of(declaration.get("Type")) or "String"
    default = default_of(declaration)
    if type_.startswith(_PARAMETER_STORE):
        where = text_of(default)
        reason = f"parameter '{name}' is read from Parameter Store when deployed"
        if _is_list(type_[len(_PARAMETER_STORE) :]):
            return Unknown(reason, origin, present=True)
        return unknown_text(f"{reason} ({where[:100]})" if where else reason, origin=origin, present=True)
    if is_hidden(declaration) and default != "":
        # Whatever it is, it is not for showing, and nothing that is made of it is.
        reason = f"parameter '{name}' is not for showing (NoEcho)"
        present = default is not None or _must_have_text(declaration, type_)
        return unknown_text(reason, origin=origin, refers_to=(address,), present=present)
    if default is None:
        reason = f"parameter '{name}' has no default"
        if _is_list(type_):
            return Unknown(reason, origin, present=_must_have_text(declaration, type_))
        return unknown_text(reason, origin=origin, present=_must_have_text(declaration, type_))
    return given(default, type_, name, origin)


def given(value: Any, type_: str, name: str, origin: Location) -> Any:
    """A value that a parameter is given, as references see it: a list for types that are lists, else text."""
    if type(value) is Unknown:
        return value.member() if _is_list(type_) else value
    if isinstance(value, list):
        # A stack that nests this one hands over a list as one text.
        return value if _is_list(type_) else Unknown(f"parameter '{name}' is given a list", origin)
    text = text_of(value)
    if text is None:
        return Unknown(f"parameter '{name}' has a value that is no text", origin)
    if _is_list(type_):
        return [part.strip() for part in text.split(",")] if text else []
    return value


def _is_list(type_: str) -> bool:
    return type_.startswith(("List<", "CommaDelimitedList"))


def _must_have_text(declaration: Mapping[str, Any], type_: str) -> bool:
    """Whether CloudFormation refuses an empty value for it."""
    if type_ != "String" and type_ != "CommaDelimitedList":
        return True
    least = text_of(declaration.get("MinLength"))
    if least is not None and least.isdecimal() and int(least[:9]) > 0:
        return True
    allowed = declaration.get("AllowedValues")
    return isinstance(allowed, list) and bool(allowed) and all(text_of(value) not in (None, "") for value in allowed)
