"""Functions that read files. They see the scanned tree alone; what is not in it may still be there when Terraform runs
(a built archive), so it is unknown and no mistake."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from policy_engine.errors import PolicyEngineError
from policy_engine.tree import join
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions.digest import digest, digest64
from policy_engine_plugins.terraform.functions.signature import Function, never
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown, Value, combine, make_set, to_text

MAX_BYTES = 1_000_000
_INSIDE_TEMPLATE = "(template)"


def _one(arguments: list[Value], count: int = 1) -> list[Value]:
    if len(arguments) != count:
        raise EvaluationError(f"wrong number of arguments: {len(arguments)}")
    missing = [argument for argument in arguments if isinstance(argument, Unknown)]
    if missing:
        raise NotKnown(combine(missing))
    return arguments


def _path(name: Value, scope: Scope) -> str:
    text = to_text(name)
    path = join(scope.module.folder, text)
    if path is None:
        raise NotKnown(Unknown(f"the file '{text}' lies outside of what is scanned"))
    return path


def _read(name: Value, scope: Scope) -> bytes:
    path = _path(name, scope)
    try:
        data = scope.module.tree.read(path)
    except (OSError, ValueError, PolicyEngineError):
        raise NotKnown(Unknown(f"the file '{to_text(name)}' is not among the scanned ones")) from None
    if len(data) > MAX_BYTES:
        raise NotKnown(Unknown(f"the file '{to_text(name)}' is larger than {MAX_BYTES} bytes"))
    scope.module.budget.spend(len(data) // 1000)
    return data


def _file(arguments: list[Value], scope: Scope) -> Value:
    (name,) = _one(arguments)
    try:
        return _read(name, scope).decode()
    except UnicodeDecodeError:
        raise EvaluationError("the file is not UTF-8 text") from None


def _file_digest(make: Callable[[str, bytes], str], algorithm: str) -> Function:
    def call(arguments: list[Value], scope: Scope) -> Value:
        (name,) = _one(arguments)
        return make(algorithm, _read(name, scope))

    return call


def _file_base64(arguments: list[Value], scope: Scope) -> Value:
    (name,) = _one(arguments)
    return base64.b64encode(_read(name, scope)).decode()


def _exists(arguments: list[Value], scope: Scope) -> Value:
    (name,) = _one(arguments)
    if scope.module.tree.is_file(_path(name, scope)):
        return True
    return Unknown(f"the file '{to_text(name)}' is not among the scanned ones")


def _file_set(arguments: list[Value], scope: Scope) -> Value:
    folder, pattern = (to_text(argument) for argument in _one(arguments, 2))
    if "/" in pattern or "**" in pattern or "{" in pattern or "[" in pattern:
        return Unknown(f"the files that match '{pattern}' are not looked for")
    path = _path(folder, scope)
    names = scope.module.tree.list(path)
    expression = re.compile(
        "".join({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in _squeeze(pattern))
    )
    matching = [name for name in names if expression.fullmatch(name)]
    if not matching:
        return Unknown(f"no scanned file in '{folder}' matches '{pattern}'")
    return make_set(matching)


def _squeeze(pattern: str) -> str:
    return re.sub(r"\*+", "*", pattern)


def _template_file(arguments: list[Value], scope: Scope) -> Value:
    if len(arguments) != 2:
        raise EvaluationError(f"wrong number of arguments: {len(arguments)}")
    name, variables = arguments
    if isinstance(name, Unknown):
        raise NotKnown(combine((name,)))
    try:
        text = _read(name, scope).decode()
    except UnicodeDecodeError:
        raise EvaluationError("the file is not UTF-8 text") from None
    return _render(text, to_text(name), variables, scope)


def _template_string(arguments: list[Value], scope: Scope) -> Value:
    if len(arguments) != 2:
        raise EvaluationError(f"wrong number of arguments: {len(arguments)}")
    text, variables = arguments
    if isinstance(text, Unknown):
        raise NotKnown(combine((text,)))
    return _render(to_text(text), "template", variables, scope)


def _render(text: str, path: str, variables: Value, scope: Scope) -> Value:
    from policy_engine_plugins.terraform.evaluate import render
    from policy_engine_plugins.terraform.lexical import SyntaxFault
    from policy_engine_plugins.terraform.parser import parse_template
    from policy_engine_plugins.terraform.source import Source

    if isinstance(variables, Unknown):
        raise NotKnown(combine((variables,)))
    if not isinstance(variables, dict):
        raise EvaluationError("the variables of a template must be a map")
    if _INSIDE_TEMPLATE in scope.names:
        raise EvaluationError("a template cannot call a template")
    source = Source(path, text)
    try:
        parsed = parse_template(source)
    except SyntaxFault as fault:
        raise EvaluationError(f"the template {path} is not understood: {fault.fault.message}") from None
    return render(parsed.parts, Scope(_TemplateNames(scope), source, {**variables, _INSIDE_TEMPLATE: True}))


class _TemplateNames:
    """A template sees its variables and nothing of the module."""

    def __init__(self, scope: Scope) -> None:
        self.tree = scope.module.tree
        self.folder = scope.module.folder
        self.budget = scope.module.budget

    def resolve(self, reference: object, scope: Scope) -> Value:
        raise EvaluationError("a template sees only the variables it is given")


def _base_name(arguments: list[Value], scope: Scope) -> Value:
    path = to_text(_one(arguments)[0])
    return path.rstrip("/").rpartition("/")[2] or ("/" if path else ".")


def _folder_name(arguments: list[Value], scope: Scope) -> Value:
    import posixpath

    folder = posixpath.dirname(to_text(_one(arguments)[0]))
    return posixpath.normpath(folder) if folder else "."


FUNCTIONS: dict[str, Function] = {
    "abspath": never("where the module lies on disk is not known"),
    "basename": _base_name,
    "dirname": _folder_name,
    "file": _file,
    "filebase64": _file_base64,
    "filebase64sha256": _file_digest(digest64, "sha256"),
    "filebase64sha512": _file_digest(digest64, "sha512"),
    "fileexists": _exists,
    "filemd5": _file_digest(digest, "md5"),
    "fileset": _file_set,
    "filesha1": _file_digest(digest, "sha1"),
    "filesha256": _file_digest(digest, "sha256"),
    "filesha512": _file_digest(digest, "sha512"),
    "pathexpand": never("the home folder is not known"),
    "templatefile": _template_file,
    "templatestring": _template_string,
}
