"""Checks of the commands of scripts: what reaches them through the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.github.checks import Wanted, reaches, strangers
from policy_engine_plugins.github.script import referenced


def held_by_environment(step: Mapping[str, Any], wanted: Wanted) -> dict[str, str]:
    """Names of the variables that a script sees and that hold what is wanted, each with where it comes from."""
    found: dict[str, str] = {}
    scopes: Iterable[Mapping[str, Any]] = (step.get("workflow", {}), step.get("job", {}), step)
    for scope in scopes:
        inner = {**scope, "siblings": step.get("siblings", {})} if scope is not step else step
        for each in reaches(inner, ["env.*"], wanted, "flows"):
            if isinstance(each, Violation):
                found[scope["expressions"][each.path[1]]["path"].removeprefix("env.")] = each.detail
    return found


def printed(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that prints a variable which holds one of the contexts into the log."""
    names = held_by_environment(step, Wanted(tuple(parameters["contexts"]), tuple(parameters.get("except", ()))))
    commands = step.get("commands")
    if not names:
        return
    if isinstance(commands, Unknown):
        yield Doubt(commands, ("commands",))
    for number, command in enumerate(commands if isinstance(commands, list) else ()):
        if isinstance(command, Unknown):
            yield Doubt(command, ("commands", number))
        elif command["name"] in ("echo", "printf") and not command["redirects"] and not command["piped_to"]:
            if "executed_by" in command or _is_masking(command) or _is_substituted(step, command):
                continue
            name = referenced(_unquoted(command["text"]), list(names))
            if name is not None:
                yield Violation(("commands", number), f"${name}, which holds {names[name]}")


def _is_masking(command: Mapping[str, Any]) -> bool:
    return "::add-mask::" in command["text"]


def _is_substituted(step: Mapping[str, Any], command: Mapping[str, Any]) -> bool:
    """Whether it stands in `$(...)`: its output goes into a word, not into the log."""
    text = command["text"]
    others = step["commands"]
    return any(
        other is not command
        and not isinstance(other, Unknown)
        and re.search(r"(?:\$\(|`)\s*" + re.escape(text), other["text"])
        for other in others
    ) or bool(re.search(r"(?:=\"?\$\(|=\"?`)\s*" + re.escape(text), str(step.get("run"))))


def _unquoted(text: str) -> str:
    """The text without what single quotes keep the shell from reading."""
    return re.sub(r"'[^']*'", "''", text)


def evaluated(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that runs a variable's text as a program, where a stranger writes that text."""
    names = held_by_environment(step, strangers(parameters))
    commands = step.get("commands")
    if not names:
        return
    if isinstance(commands, Unknown):
        yield Doubt(commands, ("commands",))
    for number, command in enumerate(commands if isinstance(commands, list) else ()):
        if isinstance(command, Unknown):
            yield Doubt(command, ("commands", number))
            continue
        name = referenced(_unquoted(command["text"]), list(names))
        if name is not None and _runs_its_words(command):
            yield Violation(("commands", number), f"${name}, which holds {names[name]},")


_RUNNERS = {
    "eval": (),
    "source": (),
    "sh": ("-c",),
    "bash": ("-c",),
    "dash": ("-c",),
    "zsh": ("-c",),
    "python": ("-c",),
    "python3": ("-c",),
    "node": ("-e", "--eval", "-p"),
    "ruby": ("-e",),
    "perl": ("-e", "-ne", "-pe"),
    "php": ("-r",),
    "pwsh": ("-c", "-Command", "-command"),
}


def _runs_its_words(command: Mapping[str, Any]) -> bool:
    if command.get("executed_by") is not None:
        return True
    name = command["name"]
    if isinstance(name, Unknown):
        return True
    flags = _RUNNERS.get(name)
    if flags is None:
        return False
    if not flags:
        return True
    words = [word if isinstance(word, str) else None for word in command["words"]]
    # The word behind the flag holds the variable itself, and not a script that reads it.
    return any(
        word in flags and number + 1 < len(words) and words[number + 1] is None for number, word in enumerate(words)
    )


def environment_file(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that writes a stranger's text into the environment of later steps.

    `files` are the files looked at; with `any` true, everything that is not written down in the workflow counts as a
    stranger's: under a trigger that strangers can pull, files and outputs of commands are theirs as well.
    """
    names = held_by_environment(step, strangers(parameters))
    written = step.get("writes")
    everything = parameters.get("any", False)
    if isinstance(written, Unknown) and (names or everything):
        yield Doubt(written, ("writes",))
    for number, each in enumerate(written if isinstance(written, list) else ()):
        if each["file"] not in parameters["files"]:
            continue
        name = next((one for one in each["variables"] if one in names), None)
        if name is not None:
            yield Violation(("writes", number), f"${name}, which holds {names[name]},")
        elif everything and (each["opaque"] or each["expression"] or _set_by_script(step, each["variables"])):
            yield Violation(("writes", number), "what a command or an expression gives")


_RUNNERS_OWN = re.compile(r"(?:GITHUB|RUNNER|CI)(?:_\w+)?|HOME|PATH|PWD|USER|HOSTNAME|JAVA_HOME\w*|GOROOT\w*|GOPATH")


def _set_by_script(step: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether one of the variables is neither the runner's nor set in an `env` of the workflow."""
    given: set[str] = set()
    for scope in (step.get("workflow", {}), step.get("job", {}), step):
        env = scope.get("env")
        given |= set(env) if isinstance(env, dict) else set()
    return any(name not in given and not _RUNNERS_OWN.fullmatch(name) for name in names)


_REVISIONS = re.compile(r"\b(?:refs/)?pull/\S+/(?:head|merge)\b")


def fetches_stranger(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that checks out a pull request's code: by number, branch or commit."""
    wanted = Wanted(tuple(parameters["contexts"]), ())
    names = held_by_environment(step, wanted)
    direct = any(
        expression["path"] == "run" and any(wanted.matches(context) for context in expression["flows"])
        for expression in step.get("expressions", ())
    )
    commands = step.get("commands")
    if isinstance(commands, Unknown) and (names or direct):
        yield Doubt(commands, ("commands",))
    for number, command in enumerate(commands if isinstance(commands, list) else ()):
        if isinstance(command, Unknown):
            continue
        told = _fetched(command, names, direct)
        if told:
            yield Violation(("commands", number), told)


def _fetched(command: Mapping[str, Any], names: Mapping[str, str], direct: bool) -> str:
    operands = [word if isinstance(word, str) else "" for word in command["operands"]]
    text = command["text"]
    if command["name"] == "gh" and operands[:2] == ["pr", "checkout"]:
        return "gh pr checkout"
    if command["name"] != "git" or operands[:1] not in (
        ["checkout"],
        ["fetch"],
        ["pull"],
        ["merge"],
        ["switch"],
        ["reset"],
    ):
        return ""
    if operands[0] in ("fetch", "pull") and _REVISIONS.search(text):
        return f"git {operands[0]} of a pull request"
    name = referenced(_unquoted(text), list(names))
    if operands[0] != "fetch" and name is not None:
        return f"git {operands[0]} of ${name}, which holds {names[name]}"
    if operands[0] != "fetch" and direct and "\ue000" in text:
        return f"git {operands[0]} of a pull request's branch or commit"
    return ""
