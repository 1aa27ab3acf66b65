"""Passwords: in URLs and connection strings, in the files that tools keep their logins in, and assigned to a name."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from policy_engine_plugins.secrets.assigned import REST, UNQUOTED, cores, literal, may_connect, small
from policy_engine_plugins.secrets.found import FORM, NAME, STRUCTURE, Found
from policy_engine_plugins.secrets.hint import is_lock
from policy_engine_plugins.secrets.kind import KINDS
from policy_engine_plugins.secrets.placeholder import is_example, is_reference, made_up, stands_for_show

MAX_LINE = 4000
"""Nobody writes a password by hand into a longer line: it was generated, packed or encoded."""

_DATABASES = "postgres|postgresql|mysql|mariadb|mongodb|redis|rediss|mssql|sqlserver|oracle|cockroachdb|clickhouse|db2"
_DATABASES += "|cassandra|neo4j|couchbase|snowflake|redshift|amqp|amqps"
_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,30})://([^\s/:@\"'<>`]{0,100}):([^\s/@\"'<>`]{3,200})@([A-Za-z0-9_.${}\[\]-]{1,200})"
)
_CONNECTION = re.compile(
    r"(?i)(?:password|pwd)[ ]?=[ ]?([^;\"'\r\n<>]{4,120})(?=;|\"|'|\r|\n|$)",
)
_HOST_PART = re.compile(
    r"(?i)(?:server|data source|host|addr|address|network address|accountendpoint)[ ]?=[ ]?[^;\r\n]{1,200};"
)
_LOCAL = re.compile(
    r"(?i)^(?:localhost|127\.|0\.0\.0\.0|::1|\[::1|host\.docker\.internal|example\.|[\w.-]*\.example\b|"
    r"[\w.-]*\bexample\.(?:com|org|net)|[\w.-]*\.(?:test|invalid|localhost))"
)

_BEFORE = re.compile(r"[\w.-]{1,60}$")
# The name speaks of something about a secret, or of a secret that everybody may know.
_ABOUT = re.compile(
    r"(?i)(?:hash|digest|checksum|salt|public|pub_?key|_?id$|ids$|name$|names$|file|path|dir|url|uri|endpoint|type|"
    r"format|length|len$|size|expir|ttl|field|label|regex|regexp|pattern|header|prefix|suffix|param|arn|ref$|version|"
    r"policy|rotation|enabled|required|count|index|title|text|message|msg|error|hint|prompt|placeholder|description|"
    r"column|attr|class|selector|input|form|validator|strength|min|max|regexp|algorithm|algo|mode|scope|issuer|"
    r"audience|provider|manager|store|backend|engine|location|region|alias|tokenizer|tokenize|tokens$|csrf|xsrf|"
    r"next_?token|continuation|page_?token|sort|primary|foreign|lookup|cache_?key|partition|hint|help|usage|doc|last|"
    r"used|date|time|_at$|created|changed)"
)
_NO_SECRET = re.compile(r"(?i)public|csrf|xsrf|example|fake|mock|dummy|regex|next|continu|pag(?:e|ing)")
_HASHED = re.compile(
    r"^(?:\$(?:2[abxy]?|1|5|6|y|argon2\w*|pbkdf2\w*|apr1|scrypt)\$|\{(?:SSHA|SHA|MD5|CRYPT|PBKDF2)\w*\}|pbkdf2[_:]|sha\d{1,3}[:$-]"
    r"|bcrypt|scrypt:|md5[0-9a-f]{32}$|SCRAM-SHA)",
    re.IGNORECASE,
)
_UUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_HEXADECIMAL = re.compile(r"^(?:0x)?[0-9a-fA-F]{16,}$")
# Passwords that nobody takes for one, whatever follows them.
_COMMON = re.compile(
    r"(?i)^(?:my|the|some|a|an|your|new|old|super|very|top|test|db|user|root|admin|client|app|dev|local|this[_-]is|wrong|bad|"
    r"invalid|correct|good|other|another|default|initial|temp|secure|strong|weak|plain|simple)?[_\s.-]{0,2}"
    r"(?:pass|passw(?:or|0r)?d|p[a@4][s$5]{2}w[o0]rd|pwd|pw|secret|test|testing|tester|token|key|api[_-]?key|admin|root|user|username|"
    r"guest|demo|foo|bar|baz|foobar|abc|abcd|abcdef|qwerty|asdf|letmein|welcome|hunter|default|value|string|postgres|"
    r"mysql|mongo|redis|rabbitmq|minio|minioadmin|minio123|docker|changeit|change|hello|world|none|null|undefined|"
    r"nil|empty|blank|unused|ignored|private|hidden|masked|unknown|anything|whatever|something|text|credential|pa)"
    r"[\W_\d]{0,10}(?:pass|word|wd|key|token|secret|value|test|here|\d)*[\W_\d]{0,10}$"
)


def password_made_up(value: str) -> bool | str:
    """Of what a person chose, or made up."""
    if is_reference(value) or _COMMON.match(value) or len(set(value)) <= 3 or _is_dictionary(value):
        return True
    if re.search(r"(?i)passw(?:or|0r)d", value):
        return True
    return made_up(value) is True


def assignments(path: str, text: str) -> Iterator[Found]:
    yield from _urls(path, text)
    if not is_lock(path):
        yield from _connections(path, text)
        yield from _tool_files(path, text)
        yield from _named(path, text)


def _urls(path: str, text: str) -> Iterator[Found]:
    if "://" not in text:
        return
    show = stands_for_show(path)
    for match in _URL.finditer(text):
        scheme, user, password, host = match[1].lower(), match[2], match[3], match[4]
        if password.isdigit() or re.match(r"\d{1,5}[,/]", password):
            continue  # a port, and the @ is another host's
        parts = _pieces(password)
        kind = KINDS["database-url"] if _is_database(scheme) else KINDS["url-password"]
        doubt: bool | str = False
        if parts is not None:
            if not parts:
                continue
            doubt = "a part of the password is filled in elsewhere"
        elif is_example(password):
            doubt = True
        elif password == user or password_made_up(password) or _is_dictionary(password) or made_up(user) is True:
            continue
        elif _LOCAL.match(host):
            doubt = "the host is this machine or an example's"
        elif show:
            doubt = show
        if doubt is not True and made_up(password) is True:
            continue
        yield Found(kind, match.start(3), match.end(3), STRUCTURE if doubt is False else FORM, password, doubt)


def _is_database(scheme: str) -> bool:
    return re.match(rf"(?:{_DATABASES})(?:\+|$|:)", scheme) is not None


_FILLED_IN = re.compile(
    r"\$?\{\{.{0,100}?\}\}|\$?\{[^{}]{0,100}\}|\$\([^()]{0,100}\)|\$\w{1,60}|%\(?\w{1,40}\)?s?|\*{1,40}"
)


def _pieces(password: str) -> str | None:
    """What is written out of a password that is filled in by a template; None for one that is written out whole."""
    if re.search(r"\$|\{|\}|%\(|%s|<|\*\*", password) is None:
        return None
    rest = _FILLED_IN.sub("", password)
    if rest == password:
        return None
    return rest if re.search(r"[A-Za-z]{0,10}[0-9]{1,10}[A-Za-z]", rest) and len(rest) >= 6 else ""


def _is_dictionary(value: str) -> bool:
    """Small letters alone: a word, which a name or an example has as often as a password."""
    return value.isalpha() and (value.islower() or value.istitle() or value.isupper())


def _connections(path: str, text: str) -> Iterator[Found]:
    if not may_connect(small(text)):
        return
    show = stands_for_show(path)
    for match in _CONNECTION.finditer(text):
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 500)
        end = text.find("\n", match.end())
        around = text[start : min(end if end >= 0 else len(text), match.end() + 500)]
        if _HOST_PART.search(around) is None or match.start() - start > MAX_LINE:
            continue
        value = match[1].strip()
        if _CODE.match(value) or _is_packed(path, text):
            continue
        if password_made_up(value) or _is_dictionary(value) or made_up(value) is True:
            continue
        doubt: bool | str = show or False
        first = match.start(1)
        yield Found(KINDS["connection-string"], first, first + len(match[1].rstrip()), FORM, value, doubt)


_CODE = re.compile(r"^[A-Za-z_$][\w$]*(?:(?:\.|->|::)[\w$]+)+$|.*[()]")


_NPMRC = re.compile(r"(?m):?_(?:authToken|password|auth)[ \t]{0,5}=[ \t]{0,5}[\"']?([^\s\"'$]{8,400})")
_NETRC = re.compile(r"(?:^|\s)password[ \t]+(\S{4,200})", re.MULTILINE)
_PYPIRC = re.compile(r"(?m)^[ \t]{0,8}password[ \t]{0,5}[=:][ \t]{0,5}(\S{4,400})")


def _tool_files(path: str, text: str) -> Iterator[Found]:
    name = path.rpartition("/")[2].lower()
    for kind, pattern, names in (
        ("npmrc-credential", _NPMRC, (".npmrc", "npmrc", ".yarnrc")),
        ("netrc-password", _NETRC, (".netrc", "_netrc", "netrc")),
        ("pypirc-password", _PYPIRC, (".pypirc", "pypirc")),
    ):
        if name in names:
            for match in pattern.finditer(text):
                value = match[1]
                if not password_made_up(value):
                    yield Found(KINDS[kind], match.start(1), match.end(1), FORM, value, made_up(value))


def _named(path: str, text: str) -> Iterator[Found]:
    """A literal assigned to a name of a secret."""
    if _is_packed(path, text):
        return
    unquoted = UNQUOTED.search(path) is not None
    show = stands_for_show(path)
    end_of_last = 0
    for core in cores(text):
        if core.start() < end_of_last:
            continue
        match = REST.match(text, core.end())
        if match is None or match["sign"] in ("==", "===", "!=", "!==") or _in_long_line(text, core.start()):
            continue
        quoted, value, start = literal(match)
        if not quoted and not unquoted:
            continue
        before = _BEFORE.search(text, max(0, core.start() - 60), core.start())
        name = f"{before[0] if before else ''}{core[0]}{match['rest']}"
        kind = _judge(name, core[0].lower(), value, quoted=quoted)
        if kind is None:
            continue
        end_of_last = start + len(value)
        doubt = made_up(value)
        if doubt is True and not is_example(value):
            continue
        yield Found(KINDS[kind], start, end_of_last, NAME, value, doubt is True or show or doubt)


def _judge(name: str, core: str, value: str, *, quoted: bool) -> str | None:
    """The kind of secret that a value is under a name, if any."""
    tail = name[name.lower().rfind(core) :]
    if _ABOUT.search(tail) or _NO_SECRET.search(name):
        return None
    if any(char.isspace() for char in value) or is_reference(value) or _HASHED.match(value) or _UUID.match(value):
        return None
    if not value.isprintable() or (password_made_up(value) and not is_example(value)) or "://" in value:
        return None
    if core.startswith("pass") or core == "pwd":
        return "password" if _is_password(value) else None
    return "generic-key" if _is_random(value) else None


def _is_password(value: str) -> bool:
    """Letters with digits or signs, of several kinds: no word, no identifier, no code."""
    if not 8 <= len(value) <= 128 or (_HEXADECIMAL.match(value) and len(value) in (32, 40, 56, 64, 96, 128)):
        return False
    if re.search(r"[(){}\[\]<>,;\\|]|\.\w+\.|->|::|\w\.\w+$|=", value) and not _is_random(value):
        return False
    kinds = sum(re.search(kind, value) is not None for kind in ("[a-z]", "[A-Z]", "[0-9]", r"[^A-Za-z0-9_.\-/:]"))
    if kinds < 2 or not re.search("[A-Za-z]", value) or not re.search(r"[0-9]|[^A-Za-z0-9_.\-/:]", value):
        return False
    # snake_case_2 and kebab-case-v1 are names; so are words with a number behind.
    if re.match(r"^[A-Za-z]{2,20}(?:[-_./:][A-Za-z0-9]{1,20}){1,8}$", value) and not _is_random(value):
        return False
    words = sum(len(word) for word in re.findall("[A-Z]?[a-z]{3,}", value))
    return len(set(value)) >= 5 and (words * 4 < len(value) * 3 or len(value) < 16)


_WORD = re.compile(r"^(?:(?:[A-Z]?[a-z]{2,}){1,6}[0-9]{0,4}|[A-Z]{2,}[0-9]{0,4}|[0-9]{1,8}|v[0-9]+)$")


def _is_random(value: str) -> bool:
    """Long, of several kinds, without words: generated rather than written."""
    if not 16 <= len(value) <= 400 or re.search(r"[^A-Za-z0-9+/=_.~!@#$%^&*?-]", value):
        return False
    if _HEXADECIMAL.match(value):
        return len(value) >= 32 and _entropy(value.lower()) >= 3.0 and re.search("[a-fA-F]", value) is not None
    if not re.search("[a-z]", value.lower()) or not re.search("[0-9]", value):
        return False
    pieces = [piece for piece in re.split(r"[^A-Za-z0-9]+", value) if piece]
    words = sum(len(piece) for piece in pieces if _WORD.match(piece))
    if words * 2 > len(value) or max(map(len, pieces)) < 10:
        return False
    changes = sum(_class(a) != _class(b) for a, b in pairwise(value))
    return changes * 4 >= len(value) and _entropy(value) >= min(3.5, math.log2(len(value)) - 0.75)


def _class(char: str) -> int:
    return 0 if char.islower() else 1 if char.isupper() else 2 if char.isdigit() else 3


def _entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _in_long_line(text: str, place: int) -> bool:
    begin = max(text.rfind("\n", max(0, place - MAX_LINE), place), text.rfind("\r", max(0, place - MAX_LINE), place))
    if begin < 0 and place > MAX_LINE:
        return True
    end = text.find("\n", place, place + MAX_LINE)
    return end < 0 and len(text) - place > MAX_LINE


_GENERATED = ("@generated", "code generated by", "do not edit", "autogenerated", "auto-generated")
_PACKED = (".min.js", ".min.css", ".map", ".lock", ".sum", ".svg", ".bundle.js", ".pb.go", "_pb2.py")


def _is_packed(path: str, text: str) -> bool:
    """Minified, bundled or generated: what stands there was not written, and is mended where it was made from."""
    if path.lower().endswith(_PACKED):
        return True
    if len(text) > 5000 and len(text) > 400 * (text.count("\n") + 1):
        return True
    head = small(text[:2000])
    return any(mark in head for mark in _GENERATED)
