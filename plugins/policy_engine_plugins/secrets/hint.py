"""Tells from a file's bytes whether to look closer. Nearly every file of a repository is done with here.

It may be wrong in one direction only: every file that a detector would find something in gives a hint.
"""

from __future__ import annotations

HEAD = 8192
MARKER = b"policy-engine:"

# Letters and digits stay, everything else separates: generated secrets are long runs that mix both.
_SEPARATED = bytes(
    code if chr(code).isascii() and (chr(code).isalnum() or chr(code) == "+") else 32 for code in range(256)
)
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+"
_DIGITS = b"0123456789"
_HEXADECIMAL = b"0123456789abcdefABCDEF"
LONG = 16

# What begins or marks a secret, though it may have no such run. Where several have something in common, only that is
# looked for at first: every file of a repository is asked for each, and a single character is found ten times as fast.
_MARKS = (
    *(b"AIza", b"ASIA", b"xox", b"github_pat_", b"npm_", b"pypi-", b"sk-", b"hvs.", b"_live_"),
    *(b"_test_", b"sq0", b"EAAA", b"SG.", b"glpat-", b"_password", b":AA", b"sig=", b"_auth", b"hf_", b"api_org_"),
    *(b"_v1_", b"dapi", b"glsa_", b"whsec_", b".atlasv1."),
)
MARKS_IN_COMMON = {
    b"K": (b"PRIVATE KEY", b"AGE-SECRET-KEY-1", b"PuTTY-User-Key-File", b"AKIA", b"NRAK-", b"PMAK-"),
    b"J": (b"LS0tLS1CRUdJTi", b"T3BlbkFJ"),
    b"Q": (b"Q~",),
    b"X": (b"GOCSPX-",),
    b"Z": (b"AZDO",),
    b"gh": (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    b"hook": (b"hooks.slack.com", b"/api/webhooks/", b"webhook.office.com"),
    b"dp.": (b"dp.pt.", b"dp.st.", b"dp.ct.", b"dp.sa."),
    b"shp": (b"shpat_", b"shpca_", b"shppa_", b"shpss_"),
    b"NR": (b"NRII-", b"NRBR-"),
    b"TT3": (b"ATATT3", b"ATCTT3"),
}
MARKS = (*_MARKS, *(mark for marks in MARKS_IN_COMMON.values() for mark in marks))
# Names that secrets are assigned to, in small letters. One of them is reason enough for a closer look, not for a hint.
NAMES = (
    *(b"passw", b"passphrase", b"pwd", b"secret", b"token", b"apikey", b"api_key", b"api-key", b"access_key"),
    *(b"accesskey", b"access-key", b"private_key", b"auth_key", b"account_key", b"accountkey", b"credential"),
    *(b"encryption_key", b"signing_key", b"license_key", b"datadog", b"dd_app", b"mailgun", b"authorization"),
    *(b'"auth"', b"basic "),
)

LOCKS = frozenset(
    {
        *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "deno.lock"),
        *("poetry.lock", "pipfile.lock", "uv.lock", "pdm.lock", "cargo.lock", "go.sum", "composer.lock"),
        *("gemfile.lock", "mix.lock", "flake.lock", "podfile.lock", "packages.lock.json", "chart.lock", "mint.lock"),
        *("package.resolved", "pubspec.lock", "gradle.lockfile", ".terraform.lock.hcl", "module.bazel.lock"),
    }
)


def is_binary(data: bytes) -> bool:
    return b"\0" in data[:HEAD] and not data.startswith((b"\xff\xfe", b"\xfe\xff"))


def is_lock(path: str) -> bool:
    """A lock file is full of digests, which look as secrets do; a secret stands there only with a mark or in a URL."""
    return path.rpartition("/")[2].lower() in LOCKS


def hints(path: str, data: bytes) -> bool:
    if is_binary(data):
        return False
    if MARKER in data:
        return True
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    if b"://" in data and b"@" in data and _has_password_url(data):
        return True
    if is_lock(path):
        return any(mark in data for mark in (b"_authToken", b"npm_", b"ghp_", b"glpat-", b"PRIVATE KEY"))
    if has_mixed_run(data) or _is_marked(data):
        return True
    lower = data.lower()
    if not _holds_one(lower, NAMES):
        return False
    from policy_engine_plugins.secrets.assigned import may_assign

    return may_assign(path, lower)


def _is_marked(data: bytes) -> bool:
    if _holds_one(data, _MARKS):
        return True
    for common, marks in MARKS_IN_COMMON.items():  # noqa: SIM110 - as below
        if common in data and _holds_one(data, marks):
            return True
    return False


def _holds_one(data: bytes, marks: tuple[bytes, ...]) -> bool:
    for mark in marks:  # noqa: SIM110 - every file of a repository comes here, and a generator takes three times as long
        if mark in data:
            return True
    return False


def has_mixed_run(data: bytes) -> bool:
    """Whether there is a long run of letters and digits in turn that is no hexadecimal digest."""
    digest = False
    for run in data.translate(_SEPARATED).split():
        if len(run) < LONG:
            continue
        letters = run.translate(None, _DIGITS)
        if len(letters) == len(run) or not letters:
            continue
        if not run.translate(None, _HEXADECIMAL):
            digest = digest or len(run) >= 32
        elif is_mixed(run):
            return True
    return digest and _has_named_digest(data)


def _has_named_digest(data: bytes) -> bool:
    """A hexadecimal secret looks like any digest; what gives it away is the prefix or the name before it."""
    import re

    prefixed = rb"(?<![A-Za-z0-9_-])(?!sha|md5|blake|rev|commit|git|ref|v)[a-z]{2,12}"
    prefixed += rb"[_-][0-9a-f]{32,64}(?![0-9a-f])|-us[0-9]"
    named = rb"(?i)(?:key|token|secret|auth|sid)[\w.-]{0,20}[\"'\]]{0,2}[ \t]{0,3}(?:=>|:=|[:=,])[ \t]{0,3}"
    named += rb"[\"']?[0-9a-f]{32,64}(?![0-9a-f])"
    for digest in re.finditer(rb"[0-9a-fA-F]{32,}", data):
        # Only around a digest, as both patterns look at every character: a name before it is shorter than that.
        around = data[max(0, digest.start() - 60) : digest.end() + 4]
        if re.search(prefixed, around) is not None or re.search(named, around) is not None:
            return True
    return False


def is_mixed(run: bytes) -> bool:
    """Letters and digits that change often: `2024q1reportfinal` does not, `x8Kd03mQz7aPq2Lw` does."""
    changes, last = 0, b""
    for place in range(len(run)):
        char = run[place : place + 1]
        kind = b"0" if char in _DIGITS else b"A" if char.isupper() else b"a"
        changes += kind != last and bool(last)
        last = kind
    return changes * 5 >= len(run)


def _has_password_url(data: bytes) -> bool:
    import re

    return re.search(rb"://[^\s/:@\"'<>]{0,100}:[^\s/@\"'<>]{1,200}@", data) is not None
