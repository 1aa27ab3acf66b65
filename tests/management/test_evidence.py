"""Evidence packs: the same inputs give the same bytes, and nothing can be changed in one unseen."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import shutil
import stat
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy_engine.archive import ArchiveRefused, pack, unpack
from policy_engine.cli import root
from policy_engine.errors import ConfigError
from policy_engine.evidence import Circumstances, Subject, create, report_of, verify
from policy_engine.report import Ledger, Report
from policy_engine.signature import fingerprint, generate, read_private, read_public

PRIVATE, PUBLIC = generate()
KEY, TRUSTED = read_private(PRIVATE, "key", None), read_public(PUBLIC, "key.pub")
STRANGER = read_public(generate()[1], "stranger.pub")


def small(*, signed: bool = True, at: str = "2026-06-01T02:00:00Z", previous: dict[str, str] | None = None) -> bytes:
    report = Report([], [], [], [], Ledger([]), [], root="", version="0.1.0", today=date(2026, 6, 1))
    return create(
        report,
        b'{"findings": []}\n',
        [{"path": "main.tf", "status": "evaluated", "size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}],
        {".policy-engine/soa.yaml": b"framework: iso27001-2022\n"},
        {"policy-engine": "0.1.0"},
        Subject("shop", "0123abcd", dirty=False),
        Circumstances("somebody", at, "3.11", "linux"),
        previous,
        KEY if signed else None,
    )


PACK = small()
MEMBERS = unpack(PACK, "x")


def faults(data: bytes) -> list[str]:
    """What is told of a pack; a refusal is told, too."""
    try:
        return verify(data, "x.pack", TRUSTED).faults
    except ArchiveRefused as error:
        assert "\n" not in str(error)
        return [str(error)]


def test_a_pack_as_it_was_made_is_whole() -> None:
    told = verify(PACK, "x.pack", TRUSTED)
    assert told.faults == []
    assert (told.signer, told.trusted) == (fingerprint(TRUSTED), True)
    assert told.identity == hashlib.sha256(MEMBERS["manifest.json"]).hexdigest()
    assert told.subject == {"repository": "shop", "commit": "0123abcd", "dirty": False}
    assert report_of(PACK, "x.pack") == b'{"findings": []}\n'


def test_every_single_bit_counts() -> None:
    for position in range(len(PACK)):
        for bit in range(8):
            altered = bytearray(PACK)
            altered[position] ^= 1 << bit
            assert faults(bytes(altered)), f"bit {bit} of byte {position}"


def test_every_single_bit_of_an_unsigned_pack_counts() -> None:
    plain = small(signed=False)
    for position in range(len(plain)):
        altered = bytearray(plain)
        altered[position] ^= 1 << position % 8
        with contextlib.suppress(ArchiveRefused):
            assert verify(bytes(altered), "x.pack").faults


def test_a_pack_that_breaks_off_or_goes_on_is_not_whole() -> None:
    for length in range(len(PACK)):
        assert faults(PACK[:length]), length
    for more in (b"\0", b"PK\5\6", PACK, b"x" * 70_000):
        assert faults(PACK + more)
        assert faults(more + PACK)


def test_what_is_missing_added_or_altered_is_told_by_name() -> None:
    for name in MEMBERS:
        left = {each: data for each, data in MEMBERS.items() if each != name}
        told = faults(pack(left))
        assert (told == ["it is not signed"]) if name == "signature.json" else (f"{name} is missing" in told), name
    assert faults(pack({**MEMBERS, "more.txt": b"x"})) == ["more.txt was added"]
    assert faults(pack({**MEMBERS, "report.json": b"{}"})) == ["report.json was altered"]
    assert faults(pack({**MEMBERS, "policy/.policy-engine/soa.yaml": b""})) == [
        "policy/.policy-engine/soa.yaml was altered"
    ]


def test_any_other_order_is_told() -> None:
    names = list(MEMBERS)
    chance = random.Random(4)
    for _ in range(200):
        shuffled = chance.sample(names, len(names))
        if shuffled != names:
            assert faults(pack({name: MEMBERS[name] for name in shuffled})) == ["the members were reordered"]


def test_whoever_makes_all_of_it_anew_lacks_the_key() -> None:
    forged = unpack(small(signed=False), "x")
    manifest = json.loads(forged["manifest.json"])
    manifest["subject"]["commit"] = "another"
    text = json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n"
    seal = {"manifest_sha256": hashlib.sha256(text).hexdigest()}
    sealed = json.dumps(seal, indent=2, sort_keys=True).encode() + b"\n"
    frame = {"manifest.json": text, "seal.json": sealed}
    rest = {name: data for name, data in forged.items() if name not in frame}
    anew = pack({**frame, **rest})
    assert verify(anew, "x").faults == []  # consistent in itself; but another identity, and not signed
    assert verify(anew, "x").identity != verify(small(signed=False), "x").identity
    assert faults(anew) == ["it is not signed"]
    kept = pack({**frame, "signature.json": MEMBERS["signature.json"], **rest})
    assert faults(kept) == ["the signature's envelope was altered, or is of another manifest"]
    assert verify(PACK, "x", STRANGER).faults == [f"it is signed by another key, {fingerprint(TRUSTED)}"]


def test_packs_are_chained() -> None:
    first = verify(PACK, "1")
    named = {"manifest_sha256": first.identity, "at": "2026-06-01T02:00:00Z"}
    second = small(at="2026-06-02T02:00:00Z", previous=named)
    assert verify(second, "2", None, first).faults == []
    third = small(at="2026-06-03T02:00:00Z", previous=named)
    assert "does not follow" in verify(third, "3", None, verify(second, "2")).faults[0]
    assert "does not follow" in verify(PACK, "1", None, first).faults[0]


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert small() == PACK
    other = unpack(small(at="2026-07-01T02:00:00Z"), "x")
    differing = {name for name in MEMBERS if MEMBERS[name] != other[name]}
    volatile = json.loads(MEMBERS["manifest.json"])["volatile"]
    assert differing == {*volatile, "manifest.json", "seal.json", "signature.json"}


# -- hostile archives


def made(*entries: tuple[str, bytes, int, int]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data, mode, method in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = method
            archive.writestr(entry, data)
    return stream.getvalue()


FILE, LINK, STORED = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777, zipfile.ZIP_STORED


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no whole archive"),
        (b"PK\3\4", "no whole archive"),
        (b"\x1f\x8b" + b"\0" * 100, "no whole archive"),
        (made(("../../etc/passwd", b"x", FILE, STORED)), "which leads elsewhere"),
        (made(("/etc/passwd", b"x", FILE, STORED)), "which leads elsewhere"),
        (made(("a\\..\\b", b"x", FILE, STORED)), "which leads elsewhere"),
        (made(("a/./b", b"x", FILE, STORED)), "which leads elsewhere"),
        (made(("a\nb", b"x", FILE, STORED)), "which leads elsewhere"),
        (made(("c:x", b"x", FILE, STORED)), "which leads elsewhere"),
        (made(("manifest.json", b"/etc/passwd", LINK, STORED)), "is a link or a device"),
        (made(("manifest.json", b"\0" * 50_000_000, FILE, zipfile.ZIP_DEFLATED)), "is compressed"),
        (made(*[(f"m{number}", b"", FILE, STORED) for number in range(10_001)]), "more than 10000 members"),
    ],
)
def test_a_hostile_archive_is_refused_in_one_line(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "x.pack"
    path.write_bytes(data)
    result = run("evidence", "verify", str(path))
    assert isinstance(result.exception, ArchiveRefused)
    assert told in str(result.exception)
    assert "\n" not in str(result.exception)


def test_two_members_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = made(("manifest.json", b"a", FILE, STORED), ("manifest.json", b"b", FILE, STORED))
    with pytest.raises(ArchiveRefused, match="two members"):
        unpack(data, "x")


# -- the commands


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments), standalone_mode=False, catch_exceptions=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.tf").write_text('resource "aws_s3_bucket" "site" {\n  acl = "public-read"\n}\n')
    (folder / "notes.txt").write_text("nothing\n")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def test_a_project_is_packed_verified_and_reported(project: Path, tmp_path: Path) -> None:
    key, first, second = tmp_path / "key", tmp_path / "1.pack", tmp_path / "2.pack"
    assert run("evidence", "keygen", str(key)).exception is None
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    common = ["--root", str(project), "--key", str(key), "--by", "somebody"]
    made_ = run("evidence", "create", str(first), *common, "--at", "2026-06-01T02:00:00Z")
    assert made_.exception is None, made_.exception
    run("evidence", "create", str(second), *common, "--at", "2026-06-02T02:00:00Z", "--previous", str(first))
    result = run("evidence", "verify", str(first), str(second), "--key", f"{key}.pub")
    assert (result.exception, result.return_value) == (None, 0)
    assert result.stdout.count(": whole; shop at ") == 2
    assert "the first of its chain" in result.stdout
    assert "with changes" not in result.stdout

    inputs = {each["path"]: each for each in json.loads(unpack(first.read_bytes(), "x")["inputs.json"])}
    for name in ("main.tf", "notes.txt"):
        assert inputs[name]["sha256"] == hashlib.sha256((project / name).read_bytes()).hexdigest()
    assert (inputs["main.tf"]["status"], inputs["notes.txt"]["status"]) == ("evaluated", "not_claimed")
    rules = json.loads(unpack(first.read_bytes(), "x")["rules.json"])
    assert "storage-acl-not-public" in {each["id"] for each in rules["rules"]}

    shown = run("report", str(first), "-f", "text")
    assert "storage-acl-not-public" in shown.stdout

    altered = first.read_bytes().replace(b"public-read", b"publicxread")
    first.write_bytes(altered)
    result = run("evidence", "verify", str(first))
    assert (result.return_value, result.stdout) == (1, f"{first}: report.json was altered\n")
    assert isinstance(run("report", str(first), "-f", "text").exception, ConfigError)


def test_two_packs_of_the_same_project_are_the_same_bytes(project: Path, tmp_path: Path) -> None:
    def packed(name: str, *more: str) -> bytes:
        file = tmp_path / name
        result = run("evidence", "create", str(file), "--root", str(project), "--by", "somebody", *more)
        assert result.exception is None, result.exception
        return file.read_bytes()

    at = ("--at", "2026-06-01T02:00:00Z")
    assert packed("1", *at) == packed("2", *at)
    copy = tmp_path / "elsewhere" / "shop"
    shutil.copytree(project, copy)
    result = run("evidence", "create", str(tmp_path / "3"), "--root", str(copy), "--by", "somebody", *at)
    assert result.exception is None
    assert (tmp_path / "3").read_bytes() == (tmp_path / "1").read_bytes()
    (project / "main.tf").write_text("locals {}\n")
    assert b'"dirty": true' in packed("4", *at)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_makes_keys_and_checks_signatures(tmp_path: Path) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "key.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)
    subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout", "-out", str(public)], check=True)
    from policy_engine.signature import check, sign

    signing = read_private(key.read_bytes(), "key", None)
    envelope = sign(b"payload", "text/plain", signing)
    assert (
        check(envelope, b"payload", "text/plain", read_public(public.read_bytes(), "x"))
        == json.loads(envelope)["signatures"][0]["keyid"]
    )
    import base64

    (tmp_path / "message").write_bytes(b"DSSEv1 10 text/plain 7 payload")
    (tmp_path / "sig").write_bytes(base64.b64decode(json.loads(envelope)["signatures"][0]["sig"]))
    done = subprocess.run(
        [
            "openssl",
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            str(public),
            "-rawin",
            "-in",
            "message",
            "-sigfile",
            "sig",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verified Successfully" in done.stdout, done.stderr


@pytest.mark.parametrize(("text", "told"), [("x", "no private key in PEM"), (PUBLIC.decode(), "no private key in PEM")])
def test_what_is_no_key_is_told(tmp_path: Path, text: str, told: str) -> None:
    key = tmp_path / "key"
    key.write_text(text)
    result = run("evidence", "create", str(tmp_path / "x.pack"), "--root", str(tmp_path), "--key", str(key))
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)


def test_a_key_with_a_password_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICY_ENGINE_KEY_PASSWORD", "correct horse")
    key = tmp_path / "key"
    assert run("evidence", "keygen", str(key)).exception is None
    assert isinstance(run("evidence", "keygen", str(key)).exception, ConfigError)  # never overwritten
    assert b"ENCRYPTED" in key.read_bytes()
    arguments = ("evidence", "create", str(tmp_path / "x.pack"), "--root", str(tmp_path), "--key", str(key))
    assert run(*arguments).exception is None
    monkeypatch.setenv("POLICY_ENGINE_KEY_PASSWORD", "wrong")
    result = run(*arguments)
    assert isinstance(result.exception, ConfigError)
    assert "wrong" not in str(result.exception)
