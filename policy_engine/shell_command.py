"""A simple command of a shell script: what runs it, its options and operands, and what its output goes into."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct, field

from policy_engine.partial import PartialList
from policy_engine.unknown import Unknown

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh"})
SOURCING = frozenset({"eval", "source", "."})
_INTERPRETERS = re.compile(r"(?:python|perl|ruby|node|nodejs|php|lua)[\d.]*")
_RUN_TEXT_WITH_C = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "su", "runuser"})
_RUN_TEXT = re.compile(r"(?:python|perl|ruby|node|php)[\d.]*")
_MODULE_RUNNERS = re.compile(r"(?:python|pypy)[\d.]*")
_ASSIGNMENT_WORD = re.compile(r"[A-Za-z_]\w*=")

# Programs that run the rest of their words: how many operands come first, and the options that take a value.
_WRAPPERS = """
    sudo 0 -u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir
    doas 0 -u -C
    env 0 -u -C --unset --chdir
    exec 0 -a
    command 0
    builtin 0
    nohup 0
    time 0 -o -f
    nice 0 -n --adjustment
    ionice 0 -c -n
    timeout 1 -k -s --kill-after --signal
    chroot 1
    gosu 1
    su-exec 1
    stdbuf 0 -i -o -e
    setsid 0
    eatmydata 0
    fakeroot 0 -l -s -i
    busybox 0
    tini 0 -p -e
    dumb-init 0 -r --rewrite
    xargs 0 -n -I -P -L -d -E -s -a --max-args --replace --max-procs --delimiter --arg-file
"""
# Options that take the next word as their value, of programs whose operands rules ask for.
_VALUED = """
    apt,apt-get,aptitude -o -c -t -a --option --config-file --target-release --default-release
    apk -X -p -t --repository --root --virtual --keys-dir --repositories-file --cache-dir --arch
    yum,dnf,microdnf,tdnf,zypper -c -d -e -x -R --config --enablerepo --disablerepo --setopt --installroot
    yum,dnf,microdnf,tdnf,zypper --releasever --exclude --repo
    git -C -c --git-dir --work-tree --namespace -b --branch --depth -o --origin --filter --config
    pip -r -c -i -f -t -e --requirement --constraint --index-url --extra-index-url --find-links --target --editable
    pip --trusted-host --timeout --retries --cache-dir --prefix --root --proxy --cert --platform --python-version
    pip --group --report --src --progress-bar --upgrade-strategy --no-binary --only-binary --python --log
    npm,pnpm,yarn -C -w --prefix --registry --cwd --dir --cache --loglevel --workspace --filter --omit
    gem -v -i -n -s --version --install-dir --bindir --source
    useradd,adduser,usermod -u -g -G -s -d -c -k -h -p -e --uid --gid --groups --shell --home --home-dir
    curl -o -H -d -A -u -X -x -e -b -c -F -T -m -C -K -w -E -r -y -Y -z -P -Q -t -D --output --header --data --user
    curl --data-raw --data-binary --user-agent --request --proxy --referer --cookie --cookie-jar --form --cacert
    curl --upload-file --max-time --config --write-out --cert --key --retry --retry-delay --retry-max-time --proto
    curl --connect-timeout --url --output-dir --ciphers --resolve --interface --limit-rate --capath --proto-redir
    wget -O -o -P -t -T -U -e -i -a -w -Q -A -R -D -l --output-document --output-file --directory-prefix --tries
    wget --timeout --user-agent --execute --input-file --header --user --password --ca-certificate --wait
    chmod,chown,chgrp,install --reference -m -o -g -t --mode --owner --group --target-directory
    gpg,gpg2 --keyserver --homedir --output -o --keyring --primary-keyring --keyserver-options
"""


@lru_cache(maxsize=1)
def _wrappers() -> Mapping[str, tuple[int, frozenset[str]]]:
    lines = (line.split() for line in _WRAPPERS.strip().splitlines())
    return {name: (int(operands), frozenset(options)) for name, operands, *options in lines}


@lru_cache(maxsize=1)
def _valued() -> Mapping[str, set[str]]:
    known: dict[str, set[str]] = {}
    for line in _VALUED.strip().splitlines():
        names, *options = line.split()
        for name in names.split(","):
            known.setdefault(name, set()).update(options)
    return known


class Word(NamedTuple):
    """One word; `start` and `end` are its place in the script. `splits`: an Unknown that may be any number of words."""

    value: str | Unknown
    start: int
    end: int
    splits: bool = False


class Command(Struct):
    """A simple command before it is described: see the module."""

    words: list[Word]
    start: int
    end: int
    joined_by: str
    conditional: bool
    pipefail: bool
    assignments: dict[str, str | Unknown] = field(default_factory=dict)
    redirects: list[dict[str, Any]] = field(default_factory=list)
    wrappers: list[str] = field(default_factory=list)
    written: list[Word] = field(default_factory=list)
    piped_to: list[str | Unknown] = field(default_factory=list)
    executed_by: str | Unknown | None = None
    text: str = ""

    @property
    def name(self) -> str | Unknown:
        """The program's name; an empty one where there are only assignments or redirects."""
        if not self.words:
            return ""
        value = self.words[0].value
        return value.rpartition("/")[2] if isinstance(value, str) else value


def peel(words: Sequence[Word]) -> tuple[list[str], list[Word]]:
    """Takes off the programs that do nothing but run others: their names, and the words of what they run."""
    wrappers: list[str] = []
    rest = list(words)
    for _ in range(10):
        if not rest or not isinstance(rest[0].value, str):
            break
        name = rest[0].value.rpartition("/")[2]
        if len(rest) > 2 and rest[1].value == "-m" and _MODULE_RUNNERS.fullmatch(name):
            wrappers.append(name)
            rest = rest[2:]
            continue
        known = _wrappers().get(name)
        if known is None:
            break
        operands, valued = known
        index = 1
        while index < len(rest):
            value = rest[index].value
            if not isinstance(value, str):
                break
            if value == "--":
                index += 1
                break
            if value.startswith("-") and len(value) > 1:
                index += 2 if value in valued else 1
            elif _ASSIGNMENT_WORD.match(value) and name in ("env", "sudo", "doas"):
                index += 1
            else:
                break
        index += operands
        if name == "command" and any(word.value in ("-v", "-V") for word in rest[1:index]):
            break
        if index >= len(rest):
            break
        wrappers.append(name)
        rest = rest[index:]
        if name == "xargs":
            rest.append(Word(Unknown("xargs adds what it reads"), rest[0].start, rest[0].end, True))
    return wrappers, rest


def inner_script(command: Command) -> Word | None:
    """The word that a shell runs as a script: `sh -c WORD`, `su -c WORD`."""
    name = command.name
    if not isinstance(name, str) or not (name in SHELLS or name in ("su", "runuser")):
        return None
    words = command.words
    for index in range(1, len(words) - 1):
        value = words[index].value
        if not isinstance(value, str):
            return None
        if value.startswith("-") and not value.startswith("--") and value.endswith("c"):
            return words[index + 1]
        if name in SHELLS and not value.startswith(("-", "+")) and not _takes_name(words[index - 1].value):
            return None
    return None


def _takes_name(value: str | Unknown) -> bool:
    """Whether a shell's option takes the next word for the name of a setting: `-o`, `-euxo`."""
    return isinstance(value, str) and re.fullmatch(r"[-+][A-Za-z]*[oO]", value) is not None


def reads_program(command: Command) -> bool | Unknown:
    """Whether a command takes its standard input for the program to run: `sh`, `bash -s --`, `python3 -`."""
    name = command.name
    if isinstance(name, Unknown):
        return name
    shell = name in SHELLS
    if not shell and not _INTERPRETERS.fullmatch(name):
        return name in SOURCING and any(word.value == "/dev/stdin" for word in command.words[1:])
    for index, word in enumerate(command.words[1:], 1):
        value = word.value
        if isinstance(value, Unknown):
            return value if word.splits else False
        if value in ("-", "/dev/stdin", "--"):
            return True
        if not value.startswith(("-", "+")):
            if shell and _takes_name(command.words[index - 1].value):
                continue
            return False
        if shell and not value.startswith("--"):
            if value.endswith("c"):
                return False
            if "s" in value:
                return True
        elif not shell and re.match(r"-[A-Za-z]*[cemnprEv]|--(?:eval|print|version|check)", value):
            return False
    return True


def runs_last_word(command: Command, is_file: bool, fed: bool) -> str | None:
    """The program's name where it runs its last word as a program, or the file that the word names."""
    name = command.name
    if not isinstance(name, str):
        return None
    if fed:
        trial = Command(command.words[:-1], 0, 0, "", False, False)
        return name if reads_program(trial) is True else None
    if name == "eval" or (is_file and name in SOURCING):
        return name
    before = command.words[-2].value if len(command.words) > 1 else None
    if is_file:
        plain = all(isinstance(word.value, str) and word.value.startswith("-") for word in command.words[1:-1])
        return name if plain and (name in SHELLS or _INTERPRETERS.fullmatch(name)) else None
    if not isinstance(before, str) or not before.startswith("-") or before.startswith("--"):
        return None
    if (name in SHELLS or name in ("su", "runuser")) and before.endswith("c"):
        return name
    return name if _INTERPRETERS.fullmatch(name) and before in ("-c", "-e", "-r") else None


def pipe(stages: Sequence[Sequence[Command]]) -> None:
    """Says of each command of a pipeline what its output goes into."""
    names: list[str | Unknown] = []
    runner: str | Unknown | None = None
    for stage in reversed(stages):
        stage_runner = runner
        for command in stage:
            command.piped_to = (names + command.piped_to)[:50]
            if command.executed_by is None:
                command.executed_by = runner
            reads = reads_program(command)
            if reads is True:
                stage_runner = command.name
            elif isinstance(reads, Unknown) and stage_runner is None:
                stage_runner = Unknown("what the output is piped into is not known")
        names = [command.name for command in stage] + names
        runner = stage_runner


def describe(command: Command) -> tuple[dict[str, Any], Mapping[str, Sequence[int]]]:
    """A command as rules see it, and for each list the indexes of its items among the words."""
    words, name = command.words, command.name
    valued: Collection[str] = _valued().get(name.rstrip("0123456789."), ()) if isinstance(name, str) else ()
    values = _listed(words)
    options: list[int] = []
    operands: list[int] = []
    skip = plain = False
    for index in range(1, len(words)):
        value = values[index]
        if skip:
            skip = False
        elif isinstance(value, Unknown):
            start = value.fragments[0] if value.fragments else None
            (options if start is not None and start.startswith("-") else operands).append(index)
            if start is None and words[index].splits:
                options.append(index)
        elif plain or value[:1] != "-" or value == "-":
            operands.append(index)
        elif value == "--":
            plain = True
        else:
            options.append(index)
            skip = value in valued
    # Where each item is exactly one word, each choice of them is a plain list too.
    partial = type(values) is PartialList
    described: dict[str, Any] = {
        "name": name,
        "wrappers": command.wrappers,
        "words": values,
        "options": _listed([words[index] for index in options]) if partial else [values[index] for index in options],
        "operands": _listed([words[index] for index in operands]) if partial else [values[index] for index in operands],
        "assignments": command.assignments,
        "redirects": command.redirects,
        "joined_by": command.joined_by,
        "piped_to": command.piped_to,
        "pipefail": command.pipefail,
        "conditional": command.conditional,
        "text": command.text,
    }
    if operands:
        described["subcommand"] = values[operands[0]]
    if command.executed_by is not None:
        described["executed_by"] = command.executed_by
    return described, {"words": range(len(words)), "options": options, "operands": operands}


def _listed(words: Sequence[Word]) -> list[Any]:
    values: list[Any] = []
    splits = False
    for value, _start, _end, word_splits in words:
        values.append(value)
        splits = splits or word_splits
    return PartialList(values) if splits else values


def evaluates_text(command: Mapping[str, Any]) -> bool:
    """Whether a described command may run a text that it is handed as a program of its own."""
    name = command["name"]
    if isinstance(command.get("executed_by"), str):
        return True
    if not isinstance(name, str):
        return False
    options = [option for option in command["options"] if isinstance(option, str)]
    if name in _RUN_TEXT_WITH_C:
        return any(not option.startswith("--") and option.endswith("c") for option in options)
    if _RUN_TEXT.fullmatch(name):
        return any(option in ("-c", "-e", "-r", "--eval") for option in options)
    return name == "eval" or (name == "ssh" and len(command["operands"]) > 1)
