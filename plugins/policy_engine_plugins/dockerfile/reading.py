"""What one instruction says, with its variables filled in: the value that rules see, and where each part stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.shell import Script, read_script, read_words
from policy_engine.shell_command import SHELLS
from policy_engine.unknown import Unknown
from policy_engine_plugins.dockerfile.expansion import ExpansionError, expand
from policy_engine_plugins.dockerfile.image import image_value
from policy_engine_plugins.dockerfile.instruction import Instruction, Raw, mount_options
from policy_engine_plugins.dockerfile.lexical import Heredoc, Source, Text
from policy_engine_plugins.dockerfile.places import Commands, CommandValue, Offsets
from policy_engine_plugins.dockerfile.scope import Scope
from policy_engine_plugins.dockerfile.stage import Stage, Via

_MISSING = Unknown("a variable that neither the Dockerfile nor the script sets; the base image may")
_AT_RUN_TIME = Unknown("a variable of the running container")
_KEY_LENGTH = 60
_PROGRAM = re.compile(r"\s+[^&|;<>()\s](?:[^&|;<>()]*[^&|;<>()\s])?")


class Reading:
    """Reads one instruction in its scope. `faults` are told by the caller, with indexes in the line's text."""

    def __init__(
        self, source: Source, instruction: Instruction, scope: Scope, escape: str, outer: Scope | None = None
    ) -> None:
        self.source = source
        self.instruction = instruction
        self.scope = scope
        self.escape = escape
        self.outer = outer
        self.faults: list[tuple[str, int, int]] = []
        self.known: dict[AttributePath, Offsets] = {}
        self.vias: dict[AttributePath, Via] = {}

    # ---- places ----

    def place(self, raw: Raw) -> Offsets:
        return self.instruction.line.text.place(raw.start, raw.end)

    def header(self) -> Offsets:
        """The instruction's first line."""
        line = self.instruction.line
        start = line.text.origin(self.instruction.start)
        end = min(self.source.line_end(start), line.end)
        return start, start + len(self.source.text[start:end].rstrip())

    def via(self) -> Via:
        """The defaults of build arguments that went into the last value."""
        found = []
        for name in dict.fromkeys(self.scope.used):
            place = self.scope.defaults.get(name)
            if place is not None and name not in self.scope.env:
                found.append((place, f"the default of build argument '{name[:60]}'"))
        return tuple(found)

    def expand(self, raw: Raw) -> str | Unknown:
        self.scope.used.clear()
        try:
            return expand(raw.text, self.escape, self.scope.lookup)
        except ExpansionError as error:
            self.faults.append((str(error), raw.start, raw.end))
            return Unknown("the word cannot be read")

    def note(self, path: AttributePath, raw: Raw) -> str | Unknown:
        """The value of a word that stands at an attribute's path."""
        value = self.expand(raw)
        self.known[path] = self.place(raw)
        via = self.via()
        if via:
            self.vias[path] = via
        return value

    # ---- instructions ----

    def read(
        self, stages: Sequence[Stage], *, onbuild: bool
    ) -> tuple[dict[str, Any], dict[AttributePath, Offsets], dict[AttributePath, Via], str]:
        """The instruction's own value, the places in it, and what tells it from its neighbours."""
        found = self.instruction
        keyword = found.keyword
        stage = stages[-1] if stages else None
        own: dict[str, Any]
        if keyword in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
            own, key = self._command(stage, onbuild=onbuild)
        elif keyword in ("COPY", "ADD"):
            own, key = self._copy(stages)
        elif keyword in ("ENV", "LABEL", "ARG"):
            own, key = self._variables(onbuild=onbuild)
        elif keyword == "EXPOSE":
            own, key = self._expose()
        elif keyword == "VOLUME":
            own = {"paths": [self.note(("paths", index), word) for index, word in enumerate(found.words)]}
            key = found.words[0].text if found.words else ""
        elif keyword == "SHELL":
            own, key = {"argv": [word.text for word in found.words]}, ""
            self.known[("argv",)] = self.place(found.rest)
            if found.form != "exec" or not found.words:
                self.faults.append(("SHELL wants a list in JSON form", found.rest.start, found.rest.end))
        elif keyword == "USER":
            own, key = self._user()
        else:
            name = {"WORKDIR": "path", "STOPSIGNAL": "signal", "MAINTAINER": "name"}[keyword]
            value: Any = found.rest.text
            self.known[(name,)] = self.place(found.rest)
            if keyword != "MAINTAINER":
                value = self.note((name,), found.rest)
            own, key = {name: value}, found.rest.text if keyword == "WORKDIR" else ""
        return own, self.known, self.vias, key[:_KEY_LENGTH]

    def flags(self, own: dict[str, Any], known: dict[AttributePath, Offsets]) -> None:
        """Adds the flags: all under `flags`, and the telling ones under their own names."""
        flags: dict[str, Any] = {}
        mounts: list[dict[str, Any]] = []
        text = self.instruction.line.text
        for flag in self.instruction.flags:
            place = text.place(flag.start, flag.end)
            if flag.name == "mount" and flag.value is not None:
                mount: dict[str, Any] = {"type": "bind"}
                index = len(mounts)
                known[("mounts", index)] = place
                for key, value, start, end in mount_options(flag.value):
                    mount[key] = True if value is None else self.expand(value)
                    known[("mounts", index, key)] = text.place(start, end)
                mounts.append(mount)
                continue
            shown: Any = True if flag.value is None else self.expand(flag.value)
            flags[flag.name] = shown
            known[("flags", flag.name)] = place
            if flag.name in _NAMED:
                own[flag.name] = shown
                known[(flag.name,)] = place
        own["flags"] = flags
        if mounts or self.instruction.keyword == "RUN":
            own["mounts"] = mounts

    def _user(self) -> tuple[dict[str, Any], str]:
        value = self.note(("user",), self.instruction.rest)
        if isinstance(value, Unknown):
            first = value.fragments[0] if value.fragments else None
            if first is not None and ":" in first:
                value = first
            else:
                return {"user": value}, ""
        user, sign, group = value.partition(":")
        return ({"user": user, "group": group} if sign else {"user": user}), ""

    def _expose(self) -> tuple[dict[str, Any], str]:
        ports = []
        words = self.instruction.words
        for index, word in enumerate(words):
            value = self.note(("ports", index), word)
            protocol: Any = "tcp"
            if isinstance(value, str):
                value, sign, named = value.partition("/")
                protocol = named.lower() if sign else "tcp"
                ports.append(
                    {"port": int(value) if value.isdecimal() and len(value) < 6 else value, "protocol": protocol}
                )
            else:
                ports.append({"port": value, "protocol": Unknown(value.reason, value.origin)})
        return {"ports": ports}, words[0].text if words else ""

    def _variables(self, *, onbuild: bool) -> tuple[dict[str, Any], str]:
        variables: dict[str, Any] = {}
        names: list[str | Unknown] = []
        pairs = self.instruction.pairs
        is_arg = self.instruction.keyword == "ARG"
        for pair in pairs:
            name_value = self.expand(pair.name)
            names.append(name_value)
            name = name_value if isinstance(name_value, str) else pair.name.text
            text = self.instruction.line.text
            default = None if pair.value is None else self.expand(pair.value)
            via = self.via()
            path = ("variables", name)
            self.known[path] = text.place(pair.start, pair.end)
            if via:
                self.vias[path] = via
            if is_arg:
                variables[name] = default
                if not onbuild:
                    outer = None if self.scope is self.outer else self.outer
                    if default is not None:
                        self.scope.defaults[name] = self.known[path]
                    origin = self.source.location(*self.known[path])
                    self.scope.declare(name, default, outer, origin)
            else:
                variables[name] = default
        for index, pair in enumerate(pairs):
            self.known[("names", index)] = self.instruction.line.text.place(pair.start, pair.end)
        return {"variables": variables, "names": names}, pairs[0].name.text if pairs else ""

    def _copy(self, stages: Sequence[Stage]) -> tuple[dict[str, Any], str]:
        found = self.instruction
        heredocs = {heredoc.word: heredoc for heredoc in found.line.heredocs}
        own: dict[str, Any] = {"heredocs": [self._heredoc(each) for each in found.line.heredocs], "sources": []}
        if len(found.words) < 2:
            self.faults.append((f"{found.keyword} wants a source and a destination", found.start, found.rest.end))
        words = found.words[:-1] if len(found.words) > 1 else found.words
        for word in words:
            if word.text in heredocs:
                continue
            index = len(own["sources"])
            own["sources"].append(self.note(("sources", index), word))
        if len(found.words) > 1:
            own["destination"] = self.note(("destination",), found.words[-1])
        for flag in found.flags:
            if flag.name == "from" and flag.value is not None:
                self._from(own, flag.value, stages)
        return own, found.words[-1].text if found.words else ""

    def _from(self, own: dict[str, Any], raw: Raw, stages: Sequence[Stage]) -> None:
        value = self.expand(raw)
        if value == "":
            return  # BuildKit takes it for no flag at all: the files are those of the context.
        stage = None
        if isinstance(value, str):
            for each in stages[:-1]:
                if each.name is not None and each.name.lower() == value.lower():
                    stage = each
            if stage is None and value.isdecimal() and len(value) < 6 and int(value) < len(stages) - 1:
                stage = stages[int(value)]
        if stage is not None:
            own["stage_from"] = stage.label
        else:
            own["image"] = image_value(value)
            self.known[("image",)] = self.place(raw)
            via = self.via()
            if via:
                self.vias[("image",)] = via

    def _heredoc(self, heredoc: Heredoc) -> dict[str, Any]:
        return {"name": heredoc.name, "expand": heredoc.expand, "content": heredoc.content.text}

    # ---- commands ----

    def _command(self, stage: Stage | None, *, onbuild: bool) -> tuple[CommandValue, str]:
        found = self.instruction
        own = CommandValue()
        own["form"] = found.form
        own["command"] = found.rest.text
        self.known[("command",)] = self.place(found.rest)
        if found.keyword == "HEALTHCHECK":
            own["none"] = found.form == "none"
        if found.form == "exec":
            own["argv"] = [word.text for word in found.words]
            self.known[("argv",)] = self.place(found.rest)
            for index, word in enumerate(found.words):
                self.known[("argv", index)] = self.place(word)
            own["script"] = " ".join(own["argv"])
            own.commands = self._argv_commands(own["argv"])
        elif found.form == "none":
            own["script"] = ""
            own.commands = Commands(lambda: Script([], [], []), lambda start, end: (start, end))
        else:
            script = self._script()
            own["script"] = script.text
            own.commands = self._shell_commands(script, stage, onbuild=onbuild)
        if found.keyword == "RUN":
            own["heredocs"] = [self._heredoc(each) for each in found.line.heredocs]
        words = found.words[0].text if found.words else found.rest.text.split(maxsplit=1)[0] if found.rest.text else ""
        return own, words if found.keyword == "RUN" else ""

    def _argv_commands(self, argv: list[str]) -> Commands:
        words = self.instruction.words
        text = self.instruction.line.text

        def offset(start: int, end: int) -> Offsets:
            if not words:
                return self.place(self.instruction.rest)
            first, last = words[min(start, len(words) - 1)], words[min(max(end - 1, start), len(words) - 1)]
            return text.place(first.start, last.end)

        return Commands(lambda: read_words(argv), offset)

    def _shell_commands(self, script: Text, stage: Stage | None, *, onbuild: bool) -> Commands:
        found = self.instruction
        shell: Any = None if stage is None else stage.value.get("shell")
        # The environment as it is here; a later instruction changes it.
        at_build = found.keyword == "RUN"
        variables = dict(self.scope.variables()) if at_build and not onbuild else {}
        missing = _MISSING if at_build else _AT_RUN_TIME
        windows = self.escape == "`"

        def read() -> Script | Unknown:
            pipefail = False
            if isinstance(shell, list) and shell:
                name = shell[0].replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
                if name not in SHELLS:
                    return Unknown(f"the shell is '{name[:40]}', whose language is not read")
                pipefail = "pipefail" in shell
            elif windows:
                return Unknown("the shell is that of Windows, whose language is not read")
            if script.text.startswith("#!"):
                interpreter = script.text[2:].partition("\n")[0].split()
                name = (interpreter[-1] if interpreter else "").rpartition("/")[2]
                if name not in SHELLS:
                    return read_words([name])
            return read_script(script.text, variables, missing, pipefail=pipefail)

        return Commands(read, script.place)

    def _script(self) -> Text:
        """What the shell gets: the line, or the heredoc where the line is nothing but one, or both."""
        found = self.instruction
        line = found.line
        heredocs = line.heredocs if found.keyword == "RUN" else ()
        if len(heredocs) == 1 and found.rest.text == heredocs[0].word:
            return heredocs[0].content
        text = line.text
        start, end = found.rest.start, found.rest.end
        pieces = text.part(start, end)
        if len(heredocs) == 1 and found.rest.text.startswith(heredocs[0].word):
            # The reader of shell scripts wants the program in front of what it is fed: `bash -e <<EOF`.
            fed = start + len(heredocs[0].word)
            program = _PROGRAM.match(text.text, fed, end)
            if program is not None:
                gap = (text.origin(program.end() - 1) + 1, " ")
                pieces = [*text.part(fed, program.end()), gap, *text.part(start, fed), *text.part(program.end(), end)]
        for heredoc in heredocs:
            pieces.append((pieces[-1][0] + len(pieces[-1][1]) if pieces else 0, "\n"))
            pieces += heredoc.content.part(0, len(heredoc.content.text))
            pieces.append((line.end, heredoc.name + "\n"))
        return Text(pieces)


_NAMED = frozenset(
    {"platform", "network", "security", "from", "chown", "chmod", "checksum", "link", "interval", "timeout"}
)
