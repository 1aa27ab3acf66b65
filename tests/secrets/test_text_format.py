"""What is found in text files, what is not, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planted import LONG_TAIL, PLANTED, Planted, drawn, pem, with_checksum
from policy_engine.errors import ConfigError
from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.secrets import TextFormat
from policy_engine_plugins.secrets.checksum import aws_account, base62_crc32, is_bech32
from policy_engine_plugins.secrets.hint import MARKS, MARKS_IN_COMMON, hints
from policy_engine_plugins.secrets.token import TOKENS


def load(path: str, data: bytes) -> Loaded:
    return TextFormat().load(Unit("text", path, (path,)), MemoryTree({path: data}))


def secrets(text: str, path: str = "settings.py") -> list[Resource]:
    return list(load(path, text.encode()).resources)


def open_ones(text: str, path: str = "settings.py") -> list[str]:
    """The kinds of what is neither made up nor undecided."""
    return [each.value["kind"] for each in secrets(text, path) if each.value["placeholder"] is False]


def test_at_least_twenty_five_kinds_are_planted() -> None:
    assert len({each.kind for each in PLANTED}) >= 50


@pytest.mark.parametrize("planted", PLANTED, ids=lambda each: each.kind)
def test_a_planted_secret_is_found_where_it_stands(planted: Planted) -> None:
    data = planted.text.encode()
    assert hints(planted.path, data)
    (found,) = load(planted.path, data).resources
    value = found.value
    assert (value["kind"], value["group"], value["verified"]) == (planted.kind, planted.group, planted.verified)
    assert value["placeholder"] is False
    assert found.address == f"{planted.path}#{planted.kind}"
    if planted.value and planted.group != "key" and "service-account" not in planted.kind:
        span = found.location.span
        line = planted.text.split("\n")[span.start_line - 1]
        assert line[span.start_column - 1 : span.end_column - 1] == planted.value


@pytest.mark.parametrize("planted", LONG_TAIL, ids=lambda each: each.kind)
def test_the_library_finds_the_long_tail(planted: Planted) -> None:
    if planted.kind not in ("linear-api-key", "figma-personal-access-token"):
        assert hints(planted.path, planted.text.encode())
    (found,) = secrets(planted.text)
    assert (found.value["kind"], found.value["group"]) == (planted.kind, planted.group)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda each: each.kind)
def test_nothing_of_the_value_is_in_the_resource(planted: Planted) -> None:
    loaded = load(planted.path, planted.text.encode())
    told = repr(loaded) + json.dumps([dict(each.value) for each in loaded.resources])
    for start in range(max(1, len(planted.value) - 12)):
        assert not planted.value or planted.value[start : start + 12] not in told


@pytest.mark.parametrize("planted", PLANTED, ids=lambda each: each.kind)
def test_every_detector_is_behind_a_hint(planted: Planted) -> None:
    """Cut down to the bare value, without a name beside it, the hint is still there where a detector finds it."""
    bare = f"x {planted.value} y\n"
    if open_ones(bare):
        assert hints("notes", bare.encode())


def test_a_checksum_tells_a_token_from_a_made_up_one() -> None:
    token = with_checksum("ghp_")
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    (right_one,), (wrong_one,) = secrets(f't = "{token}"\n'), secrets(f't = "{wrong}"\n')
    assert (right_one.value["verified"], right_one.value["confidence"]) == (True, "high")
    assert (wrong_one.value["verified"], wrong_one.value["basis"]) == (False, "mismatch")
    assert wrong_one.value["confidence"] == "low"


def test_the_checksums_are_those_of_the_vendors() -> None:
    # Tokens that were published, revoked, to show their form.
    assert base62_crc32("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ") == "0mLq17"
    assert aws_account("AKIA" + "IOSFODNN7EXAMPLE") == 581039954779
    # https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
    assert is_bech32("A12UEL5L")
    assert not is_bech32("A12UEL5M")


@pytest.mark.parametrize(
    "line",
    [
        'key = "AKIA' + 'IOSFODNN7EXAMPLE"',
        'token = "ghp_' + "x" * 36 + '"',
        'token = "ghp_' + "abcdefghijklmnopqrstuvwxyz0123456789" + '"',
        'password = "changeme"',
        'password = "Password123!"',
        'password = "${DB_PASSWORD}"',
        'password = "{{ db_password }}"',
        'password = "$(cat /run/secrets/db)"',
        'password = "<your password>"',
        'password = "xxxxxxxxxxxx"',
        'password = os.environ["DB_PASSWORD"]',
        'password = getpass.getpass("Password1: ")',
        'password_hash = "$2b$12$' + drawn(53) + '"',
        'api_key = "123e4567-e89b-12d3-a456-426614174000"',
        'commit = "' + drawn(40, "0123456789abcdef") + '"',
        'digest = "sha256:' + drawn(64, "0123456789abcdef") + '"',
        'integrity = "sha512-' + drawn(86) + '=="',
        'secret_name = "prod/shop/database-1"',
        'token_url = "https://login.example.com/oauth2/v2.0/token1"',
        'secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"',
        "url = postgres://user:${PASSWORD}@db/shop",
        'url = "postgres://postgres:postgres@localhost/shop"',
        'key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI' + drawn(43) + '"',
        'next_token = "' + drawn(40) + '"',
        "-----BEGIN PUBLIC KEY-----\n" + drawn(64) + "\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\n" + drawn(64) + "\n-----END CERTIFICATE-----",
        'if key.startswith("-----BEGIN RSA PRIVATE KEY-----"):',
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    ],
)
def test_placeholders_references_and_digests_are_no_findings(line: str) -> None:
    assert open_ones(line + "\n") == []


@pytest.mark.parametrize("label", ["ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY"])
def test_a_key_with_a_passphrase_is_told_as_encrypted(label: str) -> None:
    text = pem(label)
    if label == "RSA PRIVATE KEY":
        text = text.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0011\n\n", 1)
    (found,) = secrets(text, "server.pem")
    assert found.value["encrypted"] is True


def test_a_bare_openssh_key_is_not_encrypted() -> None:
    body = b"openssh-key-v1\0" + b"\0\0\0\x0aaes256-ctr\0\0\0\6bcrypt" + bytes(range(200))
    (found,) = secrets(pem("OPENSSH PRIVATE KEY", body), "id_rsa")
    assert found.value["encrypted"] is True


def test_a_key_that_cannot_be_read_is_undecided() -> None:
    text = f"-----BEGIN PRIVATE KEY-----\n{drawn(70)}!{drawn(30)}\n-----END PRIVATE KEY-----\n"
    (found,) = secrets(text)
    assert isinstance(found.value["placeholder"], Unknown)


def test_keys_among_tests_are_undecided_and_verified_tokens_are_not() -> None:
    text = pem() + f't = "{with_checksum("ghp_")}"\n'
    key, token = secrets(text, "tests/fixtures/server.pem")
    assert isinstance(key.value["placeholder"], Unknown)
    assert token.value["placeholder"] is False


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_places_are_right_in_every_encoding(encoding: str, ends: str) -> None:
    token = with_checksum("ghp_")
    text = ends.join(["größe = 1", f'schlüssel = "{token}"', ""])
    data = text.encode(encoding)
    assert hints("a.txt", data)
    (found,) = load("a.txt", data).resources
    assert (found.location.span.start_line, found.location.span.start_column) == (2, 14)
    assert found.location.span.end_column == 14 + len(token)


def test_a_latin_1_line_leaves_the_others_as_they_are() -> None:
    token = with_checksum("ghp_")
    data = "größe\n".encode() + "größe\n".encode("latin-1") + f'ü = "{token}"\n'.encode()
    (found,) = load("a.txt", data).resources
    assert (found.location.span.start_line, found.location.span.start_column) == (3, 6)


def test_binary_files_are_passed_over() -> None:
    token = with_checksum("ghp_").encode()
    assert not hints("a", b"\x7fELF\0\0" + token)
    assert not TextFormat().claims("logo.PNG")


def test_lock_files_are_looked_at_for_passwords_in_urls_alone() -> None:
    digests = "\n".join(f'"integrity": "sha512-{drawn(86)}=="' for _ in range(50))
    assert not hints("web/package-lock.json", digests.encode())
    leak = f'"resolved": "https://bot:kP4x{drawn(9)}@npm.shop.net/a.tgz"\n'
    assert open_ones(digests + leak, "package-lock.json") == ["url-password"]


def test_minified_code_has_no_passwords_but_may_have_tokens() -> None:
    code = ("var a={password:'kP4x" + drawn(9) + "'};") * 400 + f'var t="{with_checksum("ghp_")}";'
    assert open_ones(code, "site.js") == ["github-token"]


def test_the_same_kind_again_has_a_number() -> None:
    text = "".join(f'a = "{with_checksum("ghp_")}"\n' for _ in range(3))
    assert [each.address for each in secrets(text)] == [
        "settings.py#github-token",
        "settings.py#github-token/2",
        "settings.py#github-token/3",
    ]


def test_the_same_secret_has_the_same_identity_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLICY_ENGINE_SECRET_KEY", raising=False)
    token = with_checksum("ghp_")
    (one,), (two,) = secrets(f'a = "{token}"\n'), secrets(f"b: {token}\n", "b.yaml")
    (other,) = secrets(f'a = "{with_checksum("ghp_")}"\n')
    assert one.value["identity"] == two.value["identity"] != other.value["identity"]
    monkeypatch.setenv("POLICY_ENGINE_SECRET_KEY", drawn(32))
    (keyed,) = secrets(f'a = "{token}"\n')
    assert keyed.value["identity"] not in (None, one.value["identity"])


def test_what_a_person_chose_has_an_identity_with_a_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'db_password = "' + "tR7!blue" + 'Sky"\n'
    monkeypatch.delenv("POLICY_ENGINE_SECRET_KEY", raising=False)
    (found,) = secrets(text)
    assert found.value["identity"] is None
    monkeypatch.setenv("POLICY_ENGINE_SECRET_KEY", drawn(32))
    (found,) = secrets(text)
    assert found.value["identity"] is not None
    monkeypatch.setenv("POLICY_ENGINE_SECRET_KEY", "short")
    with pytest.raises(ConfigError, match="shorter than 16"):
        secrets(text)


def test_a_clean_file_loads_neither_the_detectors_nor_the_library() -> None:
    code = (
        "import sys\n"
        "from policy_engine_plugins.secrets import TextFormat\n"
        "assert not TextFormat().recognises('main.tf', b'resource \"aws_s3_bucket\" \"logs\" {}')\n"
        "print([name for name in sys.modules if name.startswith('kingfisher') or 'secrets.' in name])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "['policy_engine_plugins.secrets.hint']"


ADVERSARIAL = [
    "password=" * 60_000,
    "password:" + " " * 500_000,
    "a" * 500_000 + "password='",
    "://" + "a:" * 250_000,
    "://a:" + "@" * 300_000,
    "-----BEGIN PRIVATE KEY-----" * 20_000,
    "PuTTY-User-Key-File-2: x\n" * 20_000,
    "eyJ" * 150_000,
    ("eyJ" + "a" * 40 + ".") * 12_000,
    "?sv=" * 120_000,
    "Server=a;" * 50_000 + "password=",
    '"auth": "' * 50_000,
    "M" + "a" * 400_000,
    "{" * 300_000,
    "://x:" + "${" * 100 + "@h " * 1000,
    "glpat-" * 80_000,
    "secret" * 80_000 + "=" + "'" * 1000,
    "AKIA" * 100_000,
    "Data Source=" * 40_000,
    'password = "' + "\\" * 300_000,
]


@pytest.mark.parametrize("number", range(len(ADVERSARIAL)))
def test_hostile_lines_take_time_in_proportion(number: int) -> None:
    text = ADVERSARIAL[number]
    started = time.process_time()
    data = text.encode()
    hints("a.txt", data)
    load("a.txt", data)
    load("a.py", data)
    assert time.process_time() - started < 8


@settings(max_examples=60, deadline=5000)
@given(st.text(alphabet=st.sampled_from("ab01=:\"'@/;{}$%\\\n -_.password"), max_size=3000))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    hints("a.env", text.encode())
    load("a.env", text.encode())


@settings(max_examples=30, deadline=5000)
@given(st.lists(st.sampled_from([token.marks[0] for token in TOKENS] + ["a" * 40, "0" * 40, "=", ":", ".", "-"])))
def test_any_marks_are_read_without_an_exception(parts: list[str]) -> None:
    load("a.txt", "".join(parts).encode())


def test_more_secrets_than_are_told_is_said() -> None:
    text = "".join(f"sk_live_{drawn(24)}\n" for _ in range(1100))
    loaded = load("a.txt", text.encode())
    assert len(loaded.resources) == 1000
    assert "more than 1000" in loaded.problems[0].message


def test_marks_of_a_secret_hold_what_they_are_grouped_by():
    for common, marks in MARKS_IN_COMMON.items():
        assert all(common in mark for mark in marks)


def test_each_mark_of_a_secret_gives_a_hint():
    assert all(hints("notes.txt", b"a " + mark + b" b") for mark in MARKS)
