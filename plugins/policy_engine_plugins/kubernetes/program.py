"""The program that a container starts, and the flags that it is given on its command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.kubernetes.kustomize import OpenMapping

Word = tuple[AttributePath, Any]

_CONTROL_PLANE = frozenset(
    {
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubelet",
    }
)
"""Programs that are looked for behind a shell and in arguments, where the first word is another one's."""

_HYPERKUBE = {
    "apiserver": "kube-apiserver",
    "controller-manager": "kube-controller-manager",
    "proxy": "kube-proxy",
    "scheduler": "kube-scheduler",
}
_SHELLS = frozenset({"ash", "bash", "dash", "sh"})
_WRAPPERS = frozenset({"catatonit", "dumb-init", "exec", "go-runner", "nohup", "tini"})
# What these files say is not on the command line.
_CONFIGURATION = {
    "etcd": "config-file",
    "kube-proxy": "config",
    "kube-scheduler": "config",
    "kubelet": "config",
}
_FLAG = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
_FLAG_NAME = re.compile(r"--?([A-Za-z][\w.-]*)=")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MAX_SCRIPT = 65536
_MAX_JOINED = 4096


class Started(Struct, frozen=True):
    """`program` is None where the image decides. `flags` is open where some of them are not known."""

    program: str | None
    flags: Mapping[str, Any]
    _places: Mapping[str, AttributePath]
    _whole: AttributePath

    def place(self, wanted: AttributePath) -> AttributePath:
        """Where in the container the program or a flag is written; `wanted` is what follows `flags`."""
        return self._places.get(str(wanted[0]), self._whole) if wanted else self._whole


def started(container: Mapping[str, Any]) -> Started | None:
    """What a container's command and arguments say; None where there are none."""
    command, arguments = list(_words(container, "command")), list(_words(container, "args"))
    words = [*command, *arguments]
    if not words:
        return None
    whole = words[0][0][:1]
    program, flag_words = _program(words, named=bool(command))
    flags: dict[str, Any] = {}
    places: dict[str, AttributePath] = {}
    unknown, place = _read(flag_words, flags, places)
    if program == "etcd":
        _from_environment(container, flags, places)
    if unknown is None and program in _CONFIGURATION and _CONFIGURATION[program] in flags:
        unknown = Unknown(f"may be said in the file of --{_CONFIGURATION[program]}")
    return Started(program, flags if unknown is None else OpenMapping(flags, unknown), places, place or whole)


def _words(container: Mapping[str, Any], key: str) -> Iterator[Word]:
    value = container.get(key)
    if isinstance(value, list):
        yield from (((key, index), item) for index, item in enumerate(value))
    elif type(value) is Unknown:
        yield (key,), value


def _program(words: list[Word], *, named: bool) -> tuple[str | None, list[Word]]:
    """The program and the words after it. Not `named`: the image says which, unless an argument is one we know."""
    rest = words
    while rest and (name := _base_name(rest[0][1])) in _WRAPPERS:
        rest = rest[1:]
        while rest and isinstance(rest[0][1], str) and rest[0][1].startswith("-"):
            rest = rest[1:]
    if not rest or not isinstance(rest[0][1], str):
        return None, words
    name = _base_name(rest[0][1])
    if name in _SHELLS:
        return _behind_shell(rest[1:]) or (name, rest[1:])
    if name == "hyperkube" and len(rest) > 1 and (second := _base_name(rest[1][1])):
        return _HYPERKUBE.get(second, second), rest[2:]
    if name in _CONTROL_PLANE or (named and rest[0][0][0] == "command"):
        return name, rest[1:]
    return None, words


def _base_name(word: Any) -> str:
    return word.rpartition("/")[2] if isinstance(word, str) else ""


def _behind_shell(words: list[Word]) -> tuple[str, list[Word]] | None:
    """A program of the control plane that a script starts: the last command is what keeps running."""
    found: tuple[str, list[Word]] | None = None
    for path, text in words:
        if not isinstance(text, str) or text.startswith("-") or len(text) > _MAX_SCRIPT:
            continue
        if not any(name in text for name in _CONTROL_PLANE):
            break
        for line in _commands(text):
            name = _base_name(line[0])
            if name in _CONTROL_PLANE:
                found = name, [(path, _shell_value(word)) for word in line[1:]]
        break
    return found


def _commands(text: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(text.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    line: list[str] = []
    try:
        for word in lexer:
            if not word.strip(";&|()<>"):
                if line:
                    yield line
                line = []
            elif line or not (_ASSIGNMENT.match(word) or word == "exec"):
                line.append(word)
    except ValueError:  # a quote that is not closed
        return
    if line:
        yield line


def _shell_value(word: str) -> Any:
    if "$" not in word and "`" not in word:
        return word
    reason = "filled in by the shell when the container starts"
    name = _FLAG_NAME.match(word)
    return Unknown(reason, None, (), (name.group(), None)) if name else Unknown(reason)


def _read(
    words: list[Word], flags: dict[str, Any], places: dict[str, AttributePath]
) -> tuple[Unknown | None, AttributePath | None]:
    """Reads the flags of `words`. Gives the first word that is not known and may be any flag, and where it stands."""
    unknown: Unknown | None = None
    place: AttributePath | None = None
    waiting: tuple[str, AttributePath] | None = None  # a flag whose value may be the next word
    for path, word in words:
        match = _FLAG.fullmatch(word) if isinstance(word, str) else None
        if waiting is not None:
            value = "true" if match else word if type(word) is Unknown else str(word)
            _set(flags, places, waiting[0], value, waiting[1])
            waiting = None
            # What is not known may be the value, or the next flag.
            if match is None and not (type(word) is Unknown and (not word.fragments or word.fragments[0] is None)):
                continue
        if type(word) is Unknown:
            known = _FLAG_NAME.match(word.fragments[0] or "") if word.fragments else None
            if known is not None:
                _set(flags, places, known.group(1), Unknown(word.reason, word.origin), path)
            elif unknown is None:
                unknown, place = word, path
        elif match is not None:
            name, value = match.groups()
            if value is None:
                waiting = name, path
            else:
                _set(flags, places, name, value, path)
    if waiting is not None:
        _set(flags, places, waiting[0], "true", waiting[1])
    return unknown, place


def _set(flags: dict[str, Any], places: dict[str, AttributePath], name: str, value: Any, path: AttributePath) -> None:
    """Lists may be given in several flags; of others the last counts."""
    name = name.replace("_", "-")
    before = flags.get(name)
    if isinstance(before, str) and isinstance(value, str) and len(before) < _MAX_JOINED:
        value = value if {before, value} & {"true", "false"} else f"{before},{value}"
    flags[name] = value
    places[name] = path


def _from_environment(container: Mapping[str, Any], flags: dict[str, Any], places: dict[str, AttributePath]) -> None:
    """etcd takes `ETCD_CLIENT_CERT_AUTH` for `--client-cert-auth`, which goes before."""
    variables = container.get("env")
    for index, item in enumerate(variables if isinstance(variables, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name.startswith("ETCD_"):
            flag = name.removeprefix("ETCD_").lower().replace("_", "-")
            if flag not in flags:
                flags[flag] = item.get("value")
                if flags[flag] is None:
                    flags[flag] = Unknown(f"${name} comes from elsewhere")
                places[flag] = ("env", index)
