"""Files that should not lie in a repository: keys, credentials, states, dumps, histories, and what nobody can review.

Small kinds are judged one by one by what is in them, so that a pre-commit run meets them; bulky ones by name and size,
from the names of a whole project. What a file holds is never kept: only its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE, Span
from policy_engine.tree import FileTooLarge, Tree
from policy_engine_plugins.repository.names import is_aside, is_environment
from policy_engine_plugins.repository.places import line_span, lines, resource

LARGE_BYTES = 5 * 1024 * 1024
_POINTER_BYTES = 250
"""What Git LFS keeps in place of a file is smaller than this."""
_LOOKED_AT = 1 << 20

KINDS = {
    "private_key": "a private key",
    "key_store": "a store of keys",
    "credentials": "credentials",
    "environment": "secrets of an environment",
    "history": "what somebody typed",
    "state": "a Terraform state",
    "dump": "a dump of a database",
    "memory": "a dump of memory or traffic",
    "executable": "a program without its source",
    "archive": "an archive",
    "large": "a large file",
}

_PEM = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_PEM_LOCKED = re.compile(rb"ENCRYPTED PRIVATE KEY-----|Proc-Type:\s*4,\s*ENCRYPTED|-----BEGIN PGP PRIVATE")
_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_OPENSSH_PLAIN = b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"
_STORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x03\xd9\xa2\x9a", b"\x30\x82", b"\x30\x80")
_HISTORIES = ("_history", "_hist")
_PLACEHOLDER = re.compile(
    r"(?i)(?:your|my|some|the|a)[-_ ].*|.*(?:change[-_ ]?(?:me|this|it)|replace|example|placeholder|dummy|fake|sample|"
    r"insert|redacted|todo|xxx+|\*\*\*|\.\.\.|<.*>|\{\{.*).*|\$.*|\{.*\}|%.*%|(?:test|dev|local|demo)[-_]?\w{0,12}|"
    r"postgres\w*|mysql\w*|password\d*|passwd|pass|secret\d*|root|admin\d*|guest|user|none|null|true|false|yes|no|"
    r"nopass|qwerty|minio\w*|rabbitmq|redis|(.)\1*|0?1?2345\d*|op://.*|vault:.*|env:.*|file:.*|/.*|\./.*|ref\+.*|"
    r"encrypted:.*|ENC\[.*"
)
_SECRET_KEY = re.compile(
    r"(?i)(?:.*(?:passw(?:or)?d|passphrase|secret|token|api_?key|apikey|private_?key|access_?key|auth_?key|"
    r"credential|webhook_url|dsn).*)$"
)
_PUBLIC_KEY = re.compile(
    r"(?i)(?:NEXT_PUBLIC|VITE|REACT_APP|EXPO_PUBLIC|PUBLIC|NUXT_PUBLIC|GATSBY)_.*|.*(?:_PATH|_FILE|_NAME|_ID|_HEADER|"
    r"_TTL|_EXPIR\w*|_LENGTH|_URL|_URI|_ENDPOINT|_ISSUER|_ALGORITHM|_TYPE|_ENABLED)$"
)
# The machine itself, or a service by the name that a compose file gives it.
_NEAR = re.compile(r"(?:[\w-]*|127\.[\d.]+|host\.docker\.internal|.*\$.*)$")
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]\s*(.*?)\s*$")
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".defaults", ".default", ".tpl", ".tmpl", ".enc", ".test",
             ".ci", ".schema", ".vault", ".sops", ".age", ".gpg", ".bak-example")  # fmt: skip


def recognises(path: str, data: bytes) -> bool:
    return kind_of(path, data) is not None


def of_file(path: str, data: bytes) -> Resource | None:
    kind = kind_of(path, data)
    return None if kind is None else _resource(kind, path, path, len(data), span=_place(kind, path, data))


def _place(kind: str, path: str, data: bytes) -> Span:
    """The line that tells, where the file has lines: a key's first, a secret variable's."""
    if kind not in ("private_key", "key_store", "environment") or b"\0" in data[:1000]:
        return WHOLE_FILE
    for number, line in lines(data[:_LOOKED_AT]):
        if kind == "environment" and _assigns_secret(line.encode("utf-8", "replace")):
            return line_span(number, line)
        if kind != "environment" and ("PRIVATE KEY" in line or line.startswith("PuTTY-User-Key-File-")):
            return line_span(number, line)
    return WHOLE_FILE


def _resource(kind: str, name: str, path: str, size: int, count: int = 1, span: Span = WHOLE_FILE) -> Resource:
    value: dict[str, Any] = {"kind": kind, "what": KINDS[kind], "aside": is_aside(path), "size": size, "count": count}
    address = f"committed/{kind}/{path.rpartition('/')[2]}"
    return resource("committed_file", address, name, value, path, span)


def kind_of(path: str, data: bytes) -> str | None:
    """What makes a file one that should not be there; None where nothing does."""
    lower = path.lower()
    name = lower.rpartition("/")[2]
    if len(data) <= _POINTER_BYTES and data.startswith(b"version https://git-lfs"):
        return None
    head = data[:_LOOKED_AT]
    key = _key_kind(name, head)
    if key is not None:
        return key
    if name.endswith((".tfstate", ".tfstate.backup")):
        return "state" if b'"resources"' in head and not re.search(rb'"resources":\s*\[\s*\]', head) else None
    if name.endswith(_HISTORIES) or name in (".rediscli_history",):
        return "history" if head.strip() else None
    if is_environment(name):
        return "environment" if not name.endswith(_EXAMPLES) and _assigns_secret(head) else None
    return "credentials" if _holds_credentials(lower, name, head) else None


def _key_kind(name: str, data: bytes) -> str | None:
    if _PEM.search(data):
        # Documentation and programs speak of such headers; a key has the body after it.
        if not re.search(rb"PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s)+(?:[\w-]+: .*\s+)*[A-Za-z0-9+/=]{16,}", data):
            return None
        locked = _PEM_LOCKED.search(data) or (_OPENSSH in data and _OPENSSH_PLAIN not in data.replace(b"\n", b""))
        return "key_store" if locked else "private_key"
    if data.startswith(b"PuTTY-User-Key-File-"):
        return "private_key" if b"Encryption: none" in data else "key_store"
    if name.endswith((".p12", ".pfx", ".jks", ".keystore", ".kdbx")):
        public = "trust" in name or "cacerts" in name or name == "debug.keystore"
        magic = data.startswith(
            (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x03\xd9\xa2\x9a", b"\x30\x82", b"\x30\x80")
        )
        return "key_store" if magic and not public else None
    if name == "secring.gpg" and data:
        return "key_store"
    if name == "master.key" or (name.endswith(".key") and len(data.strip()) == 32):
        return "credentials" if re.fullmatch(rb"[0-9a-f]{32}\s*", data) else None
    return None


def _assigns_secret(data: bytes) -> bool:
    """Whether a variable that is named like a secret is given a value that is none of the usual placeholders."""
    for line in data.decode("utf-8", "replace").splitlines()[:2000]:
        if line.lstrip().startswith("#"):
            continue
        found = _ASSIGNMENT.match(line[:2000])
        if found is None:
            continue
        value = found[2].split(" #")[0].strip().strip("\"'")
        in_url = re.search(r"://[^/\s:@]*:([^/\s@]+)@([^/\s:]*)", value)
        if in_url:
            local = _NEAR.match(in_url[2])
            if not local and len(in_url[1]) >= 6 and not _PLACEHOLDER.fullmatch(in_url[1]):
                return True
            continue
        if _SECRET_KEY.match(found[1]) and not _PUBLIC_KEY.fullmatch(found[1]) and is_written(value):
            return True
    return False


def is_written(value: str) -> bool:
    """Whether text in a secret's place is one, and not a placeholder or a reference."""
    long_enough = len(value) >= 8 and len(set(value)) >= 5 and " " not in value.strip()
    return long_enough and not _PLACEHOLDER.fullmatch(value[:500])


def _holds_credentials(lower: str, name: str, data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    if name in (".netrc", "_netrc"):
        return any(is_written(each) for each in re.findall(r"\bpassword\s+(\S+)", text))
    if name == ".pgpass":
        return any(is_written(line.rpartition(":")[2]) for line in text.splitlines() if line.count(":") == 4)
    if name == ".htpasswd":
        return bool(re.search(r"(?m)^[^:#\s]+:(?:\$\w+\$|\{SHA\}|[./A-Za-z0-9]{13}$)", text))
    if name == ".git-credentials":
        return bool(re.search(r"://[^/\s:@]+:[^/\s@]+@", text))
    if lower.endswith((".docker/config.json", ".dockercfg", ".dockerconfigjson")):
        return bool(re.search(r'"(?:auth|identitytoken|registrytoken)"\s*:\s*"[A-Za-z0-9+/=_.-]{8,}"', text))
    if name in ("kubeconfig", ".kubeconfig") or lower.endswith(".kube/config"):
        values = re.findall(r"(?m)^\s*(?:client-key-data|token|password):\s*[\"']?([^\s\"']+)", text)
        return any(is_written(each) for each in values)
    if lower.endswith(".aws/credentials") or name in (".s3cfg", ".boto"):
        values = re.findall(r"(?mi)^\s*(?:aws_secret_access_key|secret_key|gs_secret_access_key)\s*=\s*(\S+)", text)
        return any(is_written(each) for each in values)
    if name in (".my.cnf",):
        return any(is_written(each) for each in re.findall(r"(?m)^\s*password\s*=\s*[\"']?([^\s\"']+)", text))
    if name in (".terraformrc", "terraform.rc", "credentials.tfrc.json"):
        return any(is_written(each) for each in re.findall(r"\"?token\"?\s*[=:]\s*\"([^\"]+)\"", text))
    if name == "sftp.json":
        return any(is_written(each) for each in re.findall(r'"(?:password|passphrase)"\s*:\s*"([^"]+)"', text))
    if name.endswith(".json"):
        if re.search(r'"type"\s*:\s*"service_account"', text):
            return "PRIVATE KEY" in text and bool(re.search(r"PRIVATE KEY-----\\n[A-Za-z0-9+/]{16}", text))
        return any(is_written(each) for each in re.findall(r'"client_secret"\s*:\s*"([^"]+)"', text))
    if name in (".vault-token", ".vault_pass"):
        return is_written(text.strip()) and not text.startswith("#!")
    if name == "wp-config.php":
        return any(is_written(each) for each in re.findall(r"'DB_PASSWORD'\s*,\s*'([^']+)'", text))
    if name.endswith(".publishsettings"):
        return 'userPWD="' in text
    if name.endswith(".ovpn"):
        return "<key>" in text and "PRIVATE KEY-----" in text
    return False


_BY_ENDING = {
    **dict.fromkeys(("dump", "bak", "mdf", "ldf", "rdb", "dmp", "pgdump"), "dump"),
    **dict.fromkeys(("hprof", "mdmp", "pcap", "pcapng", "heapsnapshot", "heapdump"), "memory"),
    **dict.fromkeys(("exe", "dll", "so", "dylib", "jar", "war", "ear", "class", "pyc"), "executable"),
    **dict.fromkeys(("pyd", "o", "obj", "msi"), "executable"),
    **dict.fromkeys(("apk", "aab", "ipa", "deb", "rpm", "dmg", "pkg", "appimage"), "executable"),
    **dict.fromkeys(("zip", "tar", "tgz", "gz", "bz2", "xz", "7z", "rar", "iso"), "archive"),
    **dict.fromkeys(("img", "vmdk", "qcow2", "ova"), "archive"),
}  # fmt: skip
# Text that people write; it is not asked for its size.
_WRITTEN = frozenset(
    {
        *("py", "js", "ts", "tsx", "jsx", "mjs", "cjs", "go", "rs", "rb", "java", "kt", "kts", "scala", "cs", "c", "h"),
        *("cc", "cpp", "hpp", "m", "mm", "swift", "php", "pl", "pm", "sh", "bash", "zsh", "ps1", "lua", "r", "ex"),
        *("exs", "erl", "hs", "clj", "dart", "vue", "svelte", "css", "scss", "less", "html", "htm", "md", "rst"),
        *("txt", "yaml", "yml", "toml", "ini", "cfg", "tf", "tfvars", "hcl", "bicep", "proto", "graphql", "gradle"),
        *("properties", "adoc", "tpl", "tmpl", "j2", "erb", "cmake", "mk", "snap", "pyi", "rego", "nix"),
    }
)
_WRAPPERS = ("gradle-wrapper.jar", "maven-wrapper.jar", "gradle-wrapper-shared.jar")
_DUMP_NAME = re.compile(
    r"(?i)(?:^|[-_.])(?:dump|backup|bkp|prod(?:uction)?[-_]?(?:data|db)|full[-_]?export)(?:[-_.]|\d|$)"
)
_INSERTS = re.compile(rb"(?i)\bINSERT INTO\b|\bCOPY\b.{1,400}\bFROM stdin")
_DUMPED = re.compile(rb"(?m)^-- (?:MySQL dump|PostgreSQL database dump|MariaDB dump|Dump completed|Dumped from)")
_MIN_DUMP = 1024


def of_project(project: Project, tree: Tree) -> Iterator[Resource]:
    """Bulky kinds, several in one folder as one."""
    groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for path in project.paths:
        name = path.rpartition("/")[2]
        ending = name.rpartition(".")[2].lower()
        if ending in _WRITTEN:
            continue
        try:
            size = tree.size(path)
        except (OSError, FileTooLarge):
            continue
        kind = _bulky(path, name, ending, size, tree)
        if kind is not None:
            groups.setdefault((kind, path.rpartition("/")[0]), []).append((path, size))
    for (kind, _), found in sorted(groups.items()):
        path, size = max(found, key=lambda each: (each[1], each[0]))
        more = f" and {len(found) - 1} more there" if len(found) > 1 else ""
        yield _resource(kind, path + more, path, size, len(found))


def _bulky(path: str, name: str, ending: str, size: int, tree: Tree) -> str | None:
    if size <= _POINTER_BYTES:
        return None
    lower = name.lower()
    if ending == "sql" or lower.endswith((".sql.gz", ".sql.zip", ".sql.bz2", ".sql.xz")):
        return "dump" if _is_dump(path, lower, ending, size, tree) else None
    if re.fullmatch(r"core\.\d+", lower):
        return "memory"
    kind = _BY_ENDING.get(ending)
    if kind == "dump":
        return "dump" if size >= _MIN_DUMP else None
    if kind == "archive" and (lower.endswith((".tar.gz", ".tgz")) or ending != "gz") and _DUMP_NAME.search(lower):
        return "dump" if "db" in lower or "sql" in lower or "data" in lower else "archive"
    if kind == "executable" and lower in _WRAPPERS:
        return None
    if kind is not None:
        return kind
    return "large" if size > LARGE_BYTES else None


def _is_dump(path: str, lower: str, ending: str, size: int, tree: Tree) -> bool:
    """A dump says so in its first lines, or is called one and holds rows. A schema is none, nor are seeds."""
    if ending != "sql":
        return True
    if size > LARGE_BYTES:
        return True
    try:
        head = tree.read(path)[:_LOOKED_AT]
    except (OSError, FileTooLarge):
        return True
    rows = _INSERTS.search(head) is not None
    return rows and (bool(_DUMPED.search(head)) or bool(_DUMP_NAME.search(lower)))
