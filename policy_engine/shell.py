"""Shell scripts as the simple commands they run, each word with its place; for formats that hold scripts.

Knows the shell and how common programs take their options, and no format. The parser (tree-sitter-bash) is imported by
the first call. A script is untrusted: its size, nesting and number of commands are bounded, and what cannot be
understood stands as an Unknown among the commands, so that nothing is concluded from its silence.

Each command is a mapping:

name           the program, without its folder and without what runs it (`sudo`, `env`, `xargs`, `python3 -m`)
wrappers       names of those, outermost first
words          the program and all that follows, as the program gets them
options        the words that start with `-`; `operands` the others, without the values of options where it is known
               which options take one; `subcommand` the first of the operands (`install`)
assignments    variables set for it alone
redirects      [{operator, target, descriptor}]
joined_by      the operator before it: `&&`, `||`, `;`, `|`, `&`, or "" for the first
piped_to       names of the programs that its output is piped into, in order
executed_by    the program that runs its output as a program (`curl ... | sh`, `sh -c "$(curl ...)"`); absent for none
pipefail       whether a failure inside its pipeline fails it
conditional    whether it may not run: behind `||`, in an `if`, a loop or a function
text           what is written

`words`, `options` and `operands` are a `PartialList` where an unquoted expansion may be any number of words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from policy_engine.partial import PartialList
from policy_engine.shared_list import SharedList
from policy_engine.shell_command import (
    SHELLS,
    SOURCING,
    Command,
    Word,
    describe,
    inner_script,
    peel,
    pipe,
    reads_program,
    runs_last_word,
)
from policy_engine.unknown import Unknown

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

Variables = Mapping[str, "str | Unknown"] | Callable[[str], "str | Unknown"]

MAX_SCRIPT = 200_000
"""Characters of a script."""
MAX_COMMANDS = 5_000
MAX_DEPTH = 60
MAX_WORD = 65_536
MAX_REMEMBERED_TEXT = 10_000
"""Characters of a script that is kept in case it comes again."""
MAX_READINGS = 8
"""How many are kept of one text, with other variables each."""
HOLE = "\ue000"
"""Stands for each character of text that is not known before the shell runs: a caller's template expression."""


_ASSIGNED = re.compile(r"(?<![\w.$-])([A-Za-z_]\w*)\+?=")
_SETTING = ("for", "read", "select", "getopts", "mapfile", "unset", "printf")
"""What stands in any text that the next expression matches."""
_OTHERWISE_SET = re.compile(r"\b(?:for|read|select|getopts|mapfile|readarray|unset|printf[ \t]+-v)\b([^;&|\n]{0,500})")
_NAME = re.compile(r"[A-Za-z_]\w*")
_ONE_VARIABLE = re.compile(r'"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})"', re.ASCII)
_BARE_ESCAPE = re.compile(r"\\(\n|.)", re.DOTALL)
_QUOTED_ESCAPE = re.compile(r"\\([\"\\$`\n])")
_HOLES = re.compile(f"({HOLE}+)")
_C_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}


class Script(Struct, frozen=True):
    """What a script runs. `values` are the described commands, with an Unknown for each part that is not understood;
    `commands` has None there."""

    values: Sequence[Any]
    commands: Sequence[Command | None]
    _indexes: Sequence[Mapping[str, Sequence[int]]]

    def place(self, path: Sequence[str | int]) -> tuple[int, int] | None:
        """Where an attribute stands in the script, by a path below `commands`: `(3, "options", 1)`."""
        if not path or not isinstance(path[0], int) or path[0] >= len(self.commands):
            return None
        command = self.commands[path[0]]
        if command is None:
            return None
        key = path[1] if len(path) > 1 else None
        if key in ("words", "options", "operands") and len(path) > 2 and isinstance(path[2], int):
            indexes = self._indexes[path[0]][str(key)]
            if path[2] < len(indexes):
                word = command.words[indexes[path[2]]]
                return word.start, word.end
        if key in ("name", "executed_by") and command.words:
            return command.words[0].start, command.words[0].end
        if key == "wrappers" and command.written:
            return command.written[0].start, command.written[0].end
        if key == "subcommand" and self._indexes[path[0]]["operands"]:
            word = command.words[self._indexes[path[0]]["operands"][0]]
            return word.start, word.end
        return command.start, command.end


def read_script(text: str, variables: Variables, missing: str | Unknown = "", *, pipefail: bool = False) -> Script:
    """The commands of a script. Whoever asks for the same again gets the same object.

    variables  of its environment, by name, or what gives the value of any name
    missing    what a variable has that is neither among them nor set by the script
    pipefail   whether the shell is started with `-o pipefail`
    """
    value_of = variables if callable(variables) else (lambda name: variables.get(name, missing))
    if len(text) > MAX_REMEMBERED_TEXT:
        return _read_script(_Reader(value_of), text, pipefail)
    # Jobs share templates, and projects the way they are built. What a script comes to depends on the variables that
    # were looked at while it was read.
    known = _readings(text, pipefail)
    for asked, script in known:
        if _holds(asked, value_of):
            return script
    reader = _Reader(value_of)
    script = _read_script(reader, text, pipefail)
    if len(known) < MAX_READINGS:
        known.append((tuple(reader.asked.items()), script))
    return script


@lru_cache(maxsize=1024)
def _readings(text: str, pipefail: bool) -> list[tuple[tuple[tuple[str, str | Unknown], ...], Script]]:
    """What is remembered of a script: the variables that it was read with, and what it came to."""
    return []


def _holds(asked: Sequence[tuple[str, str | Unknown]], value_of: Callable[[str], str | Unknown]) -> bool:
    """Whether the variables that were looked at have the values that they had."""
    for name, value in asked:
        now = value_of(name)
        if now is not value and now != value:
            return False
    return True


def _read_script(reader: _Reader, text: str, pipefail: bool) -> Script:
    reader.pipefail = pipefail
    reader.read(text, _Place(0), 0)
    values: list[Any] = []
    indexes: list[Mapping[str, Sequence[int]]] = []
    for command in reader.commands:
        described, positions = describe(command) if command is not None else (reader.doubt, {})
        values.append(described)
        indexes.append(positions)
    if None in reader.commands:
        return Script(PartialList(values), reader.commands, indexes)
    return Script(SharedList(values), reader.commands, indexes)


def read_words(words: Sequence[str | Unknown]) -> Script:
    """The one command of an argument vector (`["nginx", "-g", "daemon off;"]`), with what a `sh -c` in it runs. Places
    are indexes into the vector."""
    reader = _Reader(lambda _name: Unknown("a variable of the running container"))
    listed = [Word(word, index, index + 1) for index, word in enumerate(words[:MAX_COMMANDS])]
    reader.add(Command(listed, 0, len(listed), "", False, False), 0)
    described = [describe(command) if command is not None else (reader.doubt, {}) for command in reader.commands]
    return Script([value for value, _ in described], reader.commands, [positions for _, positions in described])


class _Place(NamedTuple):
    """Where a nested script's characters stand in the outermost one: moved by `shift`, or all at one place."""

    shift: int
    whole: tuple[int, int] | None = None


@lru_cache(maxsize=1)
def _parser() -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(_grammar()))


@lru_cache(maxsize=256)
def _parsed(data: bytes) -> Node:
    # The same script with other variables is read again, and only parsed once.
    return _parser().parse(data).root_node


def _grammar() -> Any:
    """What `tree_sitter_bash.language()` gives. The package itself imports what finds its data files, which nobody asks
    for, and that takes a tenth of the time of a small scan; so only its binding is loaded, where it is found."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    package = PathFinder.find_spec("tree_sitter_bash")
    found = PathFinder.find_spec("tree_sitter_bash._binding", package.submodule_search_locations) if package else None
    if found is None or found.loader is None:
        import tree_sitter_bash

        return tree_sitter_bash.language()
    binding = module_from_spec(found)
    found.loader.exec_module(binding)
    return binding.language()


class _Scope(NamedTuple):
    """What holds for the commands of a part of the script."""

    joined_by: str = ""
    conditional: bool = False
    certain: bool = True
    depth: int = 0


class _Reader:
    """Collects commands in the order they are written."""

    def __init__(self, value_of: Callable[[str], str | Unknown]) -> None:
        self.value_of = value_of
        self.asked: dict[str, str | Unknown] = {}
        self.commands: list[Command | None] = []
        self.doubt = Unknown("part of the shell script could not be understood")
        self.pipefail = False
        self.known: dict[str, str | Unknown] = {}
        self.set_by_script: dict[str, int] = {}
        self.tainted = False
        self.text = ""
        self._ascii = True
        self._data = b""
        self.place = _Place(0)

    # ---- scripts ----

    def read(self, text: str, place: _Place, depth: int) -> None:
        """Reads a script, the outermost or one that stands in another's word."""
        if len(text) > MAX_SCRIPT or depth > MAX_DEPTH or "\0" in text:
            self.give_up(Unknown("the shell script is too long or too deeply nested to be read"))
            return
        outer = (self.text, self._ascii, self._data, self.place)
        self.text, self.place = text, place
        self._ascii = text.isascii()
        self._data = text.encode("utf-8", "replace")
        # Both expressions are tried at nearly every character, and most lines hold nothing that they look for.
        for line in text.split("\n") if "=" in text else ():
            for match in _ASSIGNED.finditer(line) if "=" in line else ():
                self.set_by_script[match[1]] = self.set_by_script.get(match[1], 0) + 1
        for match in _OTHERWISE_SET.finditer(text) if any(map(text.__contains__, _SETTING)) else ():
            for name in _NAME.findall(match[1]):
                self.set_by_script[name] = self.set_by_script.get(name, 0) + 2
        root = _parsed(self._data) if len(self._data) <= MAX_REMEMBERED_TEXT else _parser().parse(self._data).root_node
        self.walk(root, _Scope(depth=depth))
        if root.has_error:
            self.give_up(self.doubt)
        self.text, self._ascii, self._data, self.place = outer

    def give_up(self, doubt: Unknown) -> None:
        if None not in self.commands[-1:]:
            self.doubt = doubt
            self.commands.append(None)

    def source(self, start_byte: int, end_byte: int) -> str:
        if self._ascii:
            return self.text[start_byte:end_byte]
        return self._data[start_byte:end_byte].decode("utf-8", "replace")

    def index(self, byte: int) -> int:
        return byte if self._ascii else len(self._data[:byte].decode("utf-8", "replace"))

    def stretch(self, node: Node) -> tuple[str, int, int]:
        """What is written in a node, and where it starts and ends in the outermost script."""
        start, end = node.start_byte, node.end_byte
        if self._ascii:
            text = self.text[start:end]
        else:
            text = self.source(start, end)
            start, end = self.index(start), self.index(end)
        shift, whole = self.place
        return (text, start + shift, end + shift) if whole is None else (text, *whole)

    # ---- statements ----

    def walk(self, node: Node, scope: _Scope) -> list[Command]:
        """The commands in a node, those of its words included; they are also collected."""
        if scope.depth > MAX_DEPTH or len(self.commands) > MAX_COMMANDS:
            self.give_up(Unknown("the shell script has too many commands or nests them too deeply"))
            return []
        kind = node.type
        if kind == "command":
            return [self.command(node, scope)]
        if kind == "list":
            return self.walk_list(node, scope)
        if kind == "pipeline":
            return self.walk_pipeline(node, scope)
        if kind == "redirected_statement":
            return self.redirected(node, scope)
        if kind in ("variable_assignment", "variable_assignments", "declaration_command"):
            return self.assign(node, scope)
        if kind in ("program", "compound_statement"):
            return self.walk_all(node, _Scope(scope.joined_by, scope.conditional, scope.certain, scope.depth + 1))
        if kind in ("comment", "word", "variable_name", "unset_command"):
            return []
        before = self.pipefail
        conditional = scope.conditional or kind not in ("subshell", "negated_command", "ERROR", "test_command")
        found = self.walk_all(node, _Scope(scope.joined_by, conditional, False, scope.depth + 1))
        if kind == "subshell":
            self.pipefail = before
        return found

    def walk_all(self, node: Node, scope: _Scope) -> list[Command]:
        found: list[Command] = []
        joined = scope.joined_by
        for child in node.children:
            if not child.is_named:
                if child.type in (";", "&", ";;", "\n"):
                    joined = "&" if child.type == "&" else ";"
                continue
            found += self.walk(child, _Scope(joined, scope.conditional, scope.certain, scope.depth))
            joined = ";"
        return found

    def walk_list(self, node: Node, scope: _Scope) -> list[Command]:
        # `a && b && c` leans to the left: it is unrolled, as a script may have thousands of them.
        parts: list[tuple[str, Node]] = []
        while node.type == "list":
            named = node.named_children
            operator = next((child.type for child in node.children if not child.is_named), ";")
            parts += [(operator, child) for child in reversed(named[1:])]
            node = named[0]
        parts.append((scope.joined_by, node))
        found: list[Command] = []
        doubtful = False
        for operator, part in reversed(parts):
            doubtful = doubtful or operator == "||"
            inner = _Scope(
                operator, scope.conditional or operator == "||", scope.certain and not doubtful, scope.depth + 1
            )
            found += self.walk(part, inner)
        return found

    def walk_pipeline(self, node: Node, scope: _Scope) -> list[Command]:
        stages: list[list[Command]] = []
        joined = scope.joined_by
        for child in node.children:
            if child.is_named:
                stages.append(self.walk(child, _Scope(joined, scope.conditional, False, scope.depth + 1)))
                joined = "|"
        pipe(stages)
        return [command for stage in stages for command in stage]

    def redirected(self, node: Node, scope: _Scope) -> list[Command]:
        body = node.child_by_field_name("body")
        found = (
            self.walk(body, _Scope(scope.joined_by, scope.conditional, scope.certain, scope.depth + 1)) if body else []
        )
        # A redirect behind a list belongs to the last command of it.
        command = found[-1] if found else self.add(self.new([], node, scope), scope.depth)
        for child in node.children_by_field_name("redirect"):
            found = self.redirect(child, command, scope, found)
        return found

    def redirect(self, node: Node, command: Command, scope: _Scope, found: list[Command]) -> list[Command]:
        """Adds a redirect to a command; gives what the rest of its line brings, for heredocs."""
        operator = next((child.type for child in node.children if not child.is_named), "")
        if node.type == "file_redirect":
            targets = node.children_by_field_name("destination")
            descriptor = node.child_by_field_name("descriptor")
            if targets:
                target = self.words(targets[0], command, scope)
                command.redirects.append(
                    {
                        "operator": operator,
                        "target": target[0].value if target else "",
                        "descriptor": self.source(descriptor.start_byte, descriptor.end_byte) if descriptor else "",
                    }
                )
            # The grammar takes the words behind a target for targets too; they are the command's.
            for child in targets[1:]:
                words = self.words(child, command, scope)
                command.words += words
                command.written += words
        elif node.type == "herestring_redirect":
            for child in node.named_children:
                target = self.words(child, command, scope, fed=True)
                if target and reads_program(command) is True:
                    self.nested(target[0], child, scope.depth)
                command.redirects.append(
                    {"operator": "<<<", "target": target[0].value if target else "", "descriptor": ""}
                )
        elif node.type == "heredoc_redirect":
            body = None
            stages = [found]
            joined = "|"
            for child in node.children:
                if child.type == "heredoc_body":
                    body = child
                elif child.type in ("&&", "||", "|"):
                    joined = child.type
                elif child.type == "file_redirect":
                    self.redirect(child, command, scope, [])
                elif child.type == "pipeline":
                    for part in child.named_children:
                        stages.append(self.walk(part, _Scope("|", scope.conditional, False, scope.depth + 1)))
                elif child.is_named and child.type not in ("heredoc_start", "heredoc_end", "file_descriptor"):
                    conditional = scope.conditional or joined == "||"
                    found = found + self.walk(child, _Scope(joined, conditional, False, scope.depth + 1))
            if len(stages) > 1:
                pipe([[command], *stages[1:]])
                found = found + [each for stage in stages[1:] for each in stage]
            command.redirects.append({"operator": "<<", "target": "", "descriptor": ""})
            if body is not None and command.name in SHELLS and reads_program(command) is True:
                start = self.index(body.start_byte)
                outer, place = self.source(body.start_byte, body.end_byte), self.place
                inner = _Place(place.shift + start, place.whole)
                before = self.pipefail
                self.pipefail = any(word.value == "pipefail" for word in command.words)
                self.read(outer, inner, scope.depth + 10)
                self.pipefail = before
        return found

    def assign(self, node: Node, scope: _Scope) -> list[Command]:
        holder = Command([], 0, 0, "", False, False)
        assigned = [node] if node.type == "variable_assignment" else node.named_children
        for child in assigned:
            if child.type == "variable_assignment":
                self.remember(child, holder, scope)
        return []

    def remember(self, node: Node, holder: Command, scope: _Scope) -> None:
        name_node, value_node = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None:
            return
        name = self.source(name_node.start_byte, name_node.end_byte)
        words = self.words(value_node, holder, scope, whole=True) if value_node is not None else []
        if scope.certain and self.set_by_script.get(name, 0) <= 1 and "[" not in name:
            self.known[name] = words[0].value if words else ""

    # ---- commands ----

    def new(self, words: list[Word], node: Node, scope: _Scope) -> Command:
        text, start, end = self.stretch(node)
        command = Command(words, start, end, scope.joined_by, scope.conditional, self.pipefail)
        command.text = text[:500]
        return command

    def command(self, node: Node, scope: _Scope) -> Command:
        words: list[Word] = []
        command = self.new(words, node, scope)
        for child in node.children:
            kind = child.type
            if kind == "command_name":
                child = child.children[0]
                kind = child.type
            if kind == "word":
                text, start, end = self.stretch(child)
                if "\\" not in text and HOLE not in text:
                    # `Word(...)` is a call of a Python function, and most words of a script are made here.
                    words.append(tuple.__new__(Word, (text, start, end, False)))
                else:
                    words += self.words(child, command, scope)
            elif kind == "variable_assignment":
                name = child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                if name is not None:
                    found = self.words(value, command, scope, whole=True) if value is not None else []
                    command.assignments[self.source(name.start_byte, name.end_byte)] = found[0].value if found else ""
            elif kind in ("file_redirect", "herestring_redirect", "heredoc_redirect"):
                self.redirect(child, command, scope, [])
            elif child.is_named and kind != "comment":
                words += self.words(child, command, scope)
        return self.add(command, scope.depth, node)

    def add(self, command: Command, depth: int, node: Node | None = None) -> Command:
        """Collects a command, with the wrappers taken off and the scripts that its words hold read."""
        # What is collected already stands in its words, and so runs before it.
        command.written = command.words
        command.wrappers, command.words = peel(command.words)
        self.commands.append(command)
        name = command.name
        if name == "set":
            self.set_options(command)
        elif name in SOURCING:
            self.tainted = True
        script = inner_script(command)
        if script is not None:
            place = (script.start, script.end)
            children = node.children if node is not None else ()
            written = next((child for child in children if self.stretch(child)[1:] == place), None)
            pipefail = any(word.value == "pipefail" for word in command.words)
            self.nested(script, written, depth, pipefail=pipefail)
        elif name == "eval" and command.words[1:] and isinstance(command.words[1].value, str):
            self.nested(command.words[1], None, depth)
        return command

    def nested(self, word: Word, node: Node | None, depth: int, *, pipefail: bool = False) -> None:
        """Reads the script that a word holds, if it is known; its places are exact where it is written plainly."""
        if not isinstance(word.value, str):
            return
        place = _Place(0, (word.start, word.end))
        if node is not None and node.type in ("raw_string", "string", "word") and self.place.whole is None:
            written = self.source(node.start_byte, node.end_byte)
            if written[1:-1] == word.value:
                place = _Place(word.start + 1)
            elif written == word.value:
                place = _Place(word.start)
        before = self.pipefail
        self.pipefail = pipefail
        self.read(word.value, place, depth + 10)
        self.pipefail = before

    def set_options(self, command: Command) -> None:
        words = [word.value for word in command.words[1:]]
        for index, word in enumerate(words):
            if word == "pipefail" and index and isinstance(words[index - 1], str):
                flag = words[index - 1]
                if isinstance(flag, str) and flag.endswith("o") and flag[0] in "-+":
                    self.pipefail = flag[0] == "-"

    # ---- words ----

    def words(
        self, node: Node, command: Command, scope: _Scope, *, whole: bool = False, fed: bool = False
    ) -> list[Word]:
        """The words that a node becomes: one, or several where a known value is split; `whole` keeps it one."""
        text, start, end = self.stretch(node)
        plain = self.plain(node.type, text)
        if plain is not None:
            return [Word(plain, start, end)]
        pieces: list[tuple[str | Unknown, bool]] = []
        self.pieces(node, False, pieces, command, scope.depth, fed)
        if whole:
            return [Word(_joined([value for value, _ in pieces]), start, end)]
        return [Word(value, start, end, splits) for value, splits in _split(pieces)]

    def plain(self, kind: str, text: str) -> str | Unknown | None:
        """The value of a word that is written as one piece, as most are; None for any other."""
        if kind in ("word", "number"):
            return text if "\\" not in text and HOLE not in text else None
        if len(text) > MAX_WORD or HOLE in text:
            return None
        if kind == "raw_string":
            return text[1:-1] if len(text) > 1 and text[-1] == "'" else None
        if kind != "string":
            return None
        # A string that nobody closed is left to the general case.
        if "$" not in text and "\\" not in text and "`" not in text:
            return text[1:-1] if len(text) > 1 and text[-1] == '"' else None
        match = _ONE_VARIABLE.fullmatch(text)
        return _joined([self.variable(match[1] or match[2])]) if match else None

    def pieces(
        self,
        node: Node,
        quoted: bool,
        into: list[tuple[str | Unknown, bool]],
        command: Command,
        depth: int,
        fed: bool = False,
    ) -> None:
        """Adds the values that a word is made of, each with whether the shell splits it at blanks."""
        kind = node.type
        if depth > MAX_DEPTH:
            into.append((Unknown("the word is nested too deeply"), not quoted))
        elif kind in ("word", "number", "extglob_pattern", "regex", "special_character"):
            self.literal(_BARE_ESCAPE.sub(_unescaped, self.source(node.start_byte, node.end_byte)), into)
        elif kind == "raw_string":
            self.literal(self.source(node.start_byte + 1, node.end_byte - 1), into)
        elif kind == "ansi_c_string":
            text = self.source(node.start_byte + 2, node.end_byte - 1)
            self.literal(_BARE_ESCAPE.sub(lambda match: _C_ESCAPES.get(match[1], match[1]), text), into)
        elif kind in ("string", "translated_string"):
            into.append(("", False))
            self.string(node, into, command, depth, fed)
        elif kind in ("concatenation", "command_name"):
            for child in node.children:
                self.pieces(child, quoted, into, command, depth + 1, fed)
        elif kind == "simple_expansion":
            name = self.source(node.start_byte, node.end_byte).lstrip()[1:]
            into.append((self.variable(name), not quoted))
        elif kind == "expansion":
            into.append((self.expansion(node), not quoted))
        elif kind in ("command_substitution", "process_substitution"):
            self.substituted(node, command, depth, fed)
            shown = self.source(node.start_byte, min(node.end_byte, node.start_byte + 40)).lstrip()
            splits = not quoted and kind == "command_substitution"
            into.append((Unknown(f"{shown} is the output of a command"), splits))
        elif kind == "arithmetic_expansion":
            into.append((Unknown("the result of an arithmetic expansion"), False))
        elif not node.is_named and kind != '"':
            self.literal(self.source(node.start_byte, node.end_byte), into)
        elif node.is_named:
            into.append(
                (Unknown(f"{self.source(node.start_byte, node.start_byte + 40)} is not understood"), not quoted)
            )

    def literal(self, text: str, into: list[tuple[str | Unknown, bool]]) -> None:
        if HOLE not in text:
            into.append((text, False))
            return
        for piece in _HOLES.split(text):
            if piece:
                unknown = piece[0] == HOLE
                into.append(
                    (Unknown("an expression that is filled in before the shell runs") if unknown else piece, unknown)
                )

    def string(
        self, node: Node, into: list[tuple[str | Unknown, bool]], command: Command, depth: int, fed: bool
    ) -> None:
        """A double-quoted string. Blanks before an expansion or the closing quote are in no child, or are the beginning
        of the next one: they are taken as text."""
        children = node.children
        position = children[0].end_byte if children else node.start_byte + 1
        for child in children[1:]:
            text = self.source(child.start_byte, child.end_byte)
            before = self.source(position, child.start_byte) if child.start_byte > position else ""
            if child.type == "string_content":
                before, text = before + text, ""
            else:
                before += text[: len(text) - len(text.lstrip())]
            if before:
                self.literal(_QUOTED_ESCAPE.sub(_unescaped, before), into)
            if text and child.is_named:
                self.pieces(child, True, into, command, depth + 1, fed)
            elif text and child.end_byte != node.end_byte:
                self.literal(text.lstrip(), into)
            position = max(position, child.end_byte)

    def variable(self, name: str) -> str | Unknown:
        if not _NAME.fullmatch(name):
            return Unknown(f"${name[:60]} is known to the running shell alone")
        if name in self.set_by_script:
            value = self.known.get(name)
            if value is None or self.tainted:
                return Unknown(f"${name[:60]} is set by the script")
            return value
        if self.tainted:
            return Unknown(f"${name[:60]} may be set by what the script reads in")
        value = self.asked[name] = self.value_of(name)
        return value

    def expansion(self, node: Node) -> str | Unknown:
        """`${NAME}` and `${NAME:-word}` with plain text; any other form is not worked out."""
        text = self.source(node.start_byte, node.end_byte).lstrip()[2:-1]
        if _NAME.fullmatch(text):
            return self.variable(text)
        match = re.fullmatch(r"([A-Za-z_]\w*)(:?[-=])([^$`\\'\"{}]*)", text[:1000])
        if match is None:
            return Unknown(f"${{{text[:60]}}} is worked out by the running shell")
        value = self.variable(match[1])
        if isinstance(value, str):
            return value or match[3]
        return value

    def substituted(self, node: Node, command: Command, depth: int, fed: bool) -> None:
        """Reads the commands in `$(...)`, and says which program runs their output, if one does."""
        before = self.pipefail
        at = len(command.words)
        found = self.walk_all(node, _Scope("", True, False, depth + 10))
        self.pipefail = before
        if not found:
            return
        name = command.name
        runner: str | Unknown | None = None
        if at == 0 and node.type == "command_substitution" and not fed and command.words == []:
            # In the place of the program's name, or of an assignment's value, which runs nothing.
            parent = node.parent
            runner = "the shell" if parent is not None and parent.type == "command_name" else None
        elif isinstance(name, str):
            _, words = peel([*command.words, Word(Unknown("?"), 0, 0)])
            trial = Command(words, 0, 0, "", False, False)
            runner = runs_last_word(trial, node.type == "process_substitution", fed)
        if runner is not None:
            for each in found:
                if each is found[-1] or each.piped_to:
                    each.executed_by = runner if each.executed_by is None else each.executed_by


def _unescaped(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def _joined(values: Sequence[str | Unknown]) -> str | Unknown:
    """The pieces of a word as one value."""
    if len(values) == 1:
        only = values[0]
        if not only.fragments and not only.refers_to if isinstance(only, Unknown) else len(only) <= MAX_WORD:
            return only
    fragments: list[str | None] = []
    doubt: Unknown | None = None
    for value in values:
        if isinstance(value, Unknown):
            doubt = value if doubt is None else doubt
            inner = value.fragments or (None,)
            for each in inner:
                _append(fragments, each)
        else:
            _append(fragments, value)
    if sum(len(each or "") for each in fragments) > MAX_WORD or len(fragments) > 200:
        return Unknown("the word is too long")
    if doubt is None:
        return "".join(each or "" for each in fragments)
    partly = len(fragments) > 1
    return Unknown(doubt.reason, doubt.origin, (), tuple(fragments) if partly else (), present=partly or doubt.present)


def _append(fragments: list[str | None], piece: str | None) -> None:
    if piece == "":
        return
    if fragments and piece is not None and fragments[-1] is not None:
        fragments[-1] += piece
    elif not (fragments and piece is None and fragments[-1] is None):
        fragments.append(piece)


def _split(pieces: Sequence[tuple[str | Unknown, bool]]) -> Iterator[tuple[str | Unknown, bool]]:
    """The words that pieces become, each with whether it may be any number of words."""
    current: list[str | Unknown] = []
    splits = started = False
    for value, splitting in pieces:
        if splitting and isinstance(value, str):
            parts = value.split()
            if not parts:
                continue
            if value[0].isspace() and started:
                yield _joined(current), splits
                current, splits, started = [], False, False
            for part in parts[:-1]:
                yield _joined([*current, part]), splits
                current, splits = [], False
            current.append(parts[-1])
            started = True
        else:
            current.append(value)
            started = True
            splits = splits or splitting
    if started:
        yield _joined(current), splits
