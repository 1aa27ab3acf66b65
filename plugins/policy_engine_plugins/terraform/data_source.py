"""Data sources that compute from their own arguments alone, so that their result needs no run."""

from __future__ import annotations

from collections.abc import Container, Sequence

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.computed import POLICY_DOCUMENT
from policy_engine_plugins.terraform.functions.encoding import document, load_json
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import Step
from policy_engine_plugins.terraform.values import UnknownDocument, Value, is_list, to_text

# How a statement's arguments are called in the document.
_STATEMENT = {
    "Action": "actions",
    "NotAction": "not_actions",
    "Resource": "resources",
    "NotResource": "not_resources",
}
_PRINCIPALS = {"Principal": "principals", "NotPrincipal": "not_principals"}
_SOURCES = ("source_policy_documents", "source_json", "override_policy_documents", "override_json")


def compute(type_: str, attribute: str, arguments: dict[str, Value], scope: Scope) -> Value:
    """An attribute that `computed.computes` names. Raises EvaluationError and NotKnown."""
    if type_ == POLICY_DOCUMENT:
        return policy_document(arguments)
    from policy_engine_plugins.terraform.functions import find

    if type_ == "template_file":
        return find("templatestring")([arguments.get("template"), arguments.get("vars") or {}], scope)
    function = "filebase64" if attribute == "content_base64" else "file"
    return find(function)([arguments.get("filename")], scope)


def policy_document(arguments: dict[str, Value]) -> Value:
    """The `json` of an `aws_iam_policy_document`. Statements of other documents that are not known count as one unknown
    statement; documents that override statements by their sid are merged as the provider does."""
    made: dict[str, Value] = {"Version": _or(arguments.get("version"), "2012-10-17")}
    if arguments.get("policy_id") is not None:
        made["Id"] = arguments["policy_id"]
    statements = _others(arguments, "source_policy_documents", "source_json")
    statements = _merged(statements, [_statement(block) for block in arguments.get("statement", [])])
    statements = _merged(statements, _others(arguments, "override_policy_documents", "override_json"))
    made["Statement"] = statements
    return document(made)


def argument_of(arguments: Container[str], path: Sequence[Step]) -> tuple[int, str, list[Step]] | None:
    """For a path into the document: which statement block and which argument of it make that part, and what is left of
    the path inside the argument. None where other documents are merged in, or no one argument makes it."""
    if any(name in arguments for name in _SOURCES) or len(path) < 3 or path[0] != "Statement":
        return None
    index, key = path[1], str(path[2])
    name = {**_STATEMENT, "Effect": "effect", "Sid": "sid"}.get(key)
    return None if name is None or not isinstance(index, int) else (index, name, list(path[3:]))


def _or(value: Value, default: Value) -> Value:
    return default if value is None else value


def _statement(block: dict[str, Value]) -> dict[str, Value]:
    made: dict[str, Value] = {}
    if block.get("sid") is not None and block["sid"] != "":
        made["Sid"] = block["sid"]
    made["Effect"] = _or(block.get("effect"), "Allow")
    for key, argument in _STATEMENT.items():
        _put(made, key, block.get(argument))
    for key, argument in _PRINCIPALS.items():
        if block.get(argument):
            made[key] = _principals(block[argument])
    if block.get("condition"):
        made["Condition"] = _conditions(block["condition"])
    return made


def _put(made: dict[str, Value], key: str, values: Value) -> None:
    """A list of one is written as the one."""
    if values is None or (is_list(values) and not values):
        return
    made[key] = values[0] if is_list(values) and len(values) == 1 else values


def _principals(blocks: list[dict[str, Value]]) -> Value:
    made: dict[str, Value] = {}
    for block in blocks:
        kind, identifiers = block.get("type"), block.get("identifiers")
        if isinstance(kind, Unknown):
            return kind
        if kind == "*" and identifiers == ["*"] and len(blocks) == 1:
            return "*"
        name = to_text(kind)
        if name in made and is_list(made[name]) and is_list(identifiers):
            identifiers = made[name] + identifiers
        made[name] = identifiers
    return {name: values[0] if is_list(values) and len(values) == 1 else values for name, values in made.items()}


def _conditions(blocks: list[dict[str, Value]]) -> Value:
    made: dict[str, dict[str, Value]] = {}
    for block in blocks:
        test, variable = block.get("test"), block.get("variable")
        for name in (test, variable):
            if isinstance(name, Unknown):
                return name
        _put(made.setdefault(to_text(test), {}), to_text(variable), block.get("values"))
    return made


def _others(arguments: dict[str, Value], many: str, one: str) -> list[Value]:
    """The statements of the documents that an argument brings in."""
    given = arguments.get(many)
    texts: list[Value] = [given] if isinstance(given, (Unknown, str)) else list(given or [])
    if arguments.get(one) is not None:
        texts.append(arguments[one])
    statements: list[Value] = []
    for text in texts:
        if text is None or text == "":
            continue
        content = _content(text)
        if isinstance(content, dict):
            found = content.get("Statement", [])
            statements.extend(found if is_list(found) else [found])
        else:
            statements.append(content)
    return statements


def _content(text: Value) -> Value:
    if isinstance(text, UnknownDocument):
        return text.document.value
    return text if isinstance(text, Unknown) else load_json(to_text(text))


def _merged(first: list[Value], second: list[Value]) -> list[Value]:
    """A statement takes the place of an earlier one with its sid; one that is not known may do so."""
    merged = list(first)
    for statement in second:
        sid = statement.get("Sid") if isinstance(statement, dict) else statement
        if isinstance(sid, Unknown):
            merged = [sid if isinstance(earlier, dict) and "Sid" in earlier else earlier for earlier in merged]
        alike = [at for at, earlier in enumerate(merged) if isinstance(earlier, dict) and "Sid" in earlier]
        alike = [at for at in alike if merged[at]["Sid"] == sid]
        if alike:
            merged[alike[0]] = statement
        else:
            merged.append(statement)
    return merged
