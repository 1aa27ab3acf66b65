"""Files that should not be committed: which are, which only look like it, and nothing of them is told."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy_engine.cli import root
from policy_engine_plugins.repository.committed import is_written, kind_of
from repository_reading import FORMAT, load_file, load_project, of_type

KEY = "-----BEGIN {}PRIVATE KEY-----\nbm90IGEga2V5LCBvbmx5IHRleHQgZm9yIGEgdGVzdA==\n-----END {}PRIVATE KEY-----\n"
MADE_UP = "b7Qx2mZr9LkT4vW8"
ACCOUNT = {"type": "service_account"}
PLACEHOLDERS = ["", "changeme", "your-token-here", "xxxxxxxxxxxx", "${TOKEN}", "<token>", "password123", "secret"]


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("server.pem", KEY.format("", ""), "private_key"),
        ("server.key", KEY.format("RSA ", "RSA "), "private_key"),
        ("keys/id_rsa", KEY.format("", ""), "private_key"),
        ("AuthKey.p8", KEY.format("", ""), "private_key"),
        ("server.key", KEY.format("ENCRYPTED ", "ENCRYPTED "), "key_store"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None),
        ("guide.key", "write -----BEGIN PRIVATE KEY----- and so on", None),
        ("deck.key", b"PK\x03\x04" + bytes(100), None),
        ("config/master.key", "0123456789abcdef0123456789abcdef", "credentials"),
        (
            "service-account.json",
            json.dumps({"type": "service_account", "private_key": KEY.format("", "")}),
            "private_key",
        ),
        ("service-account.json", json.dumps({"type": "service_account", "private_key": "..."}), None),
        ("client_secret.json", json.dumps({"installed": {"client_secret": MADE_UP}}), "credentials"),
        (".vault-token", MADE_UP, "credentials"),
        (".git-credentials", f"https://ci:{MADE_UP}@git.acme.io\n", "credentials"),
        (".terraformrc", f'credentials "app.terraform.io" {{\n  token = "{MADE_UP}"\n}}\n', "credentials"),
        (".netrc", "machine x login y password $PASSWORD\n", None),
        (".env", f"DB_PASSWORD={MADE_UP}\n", "environment"),
        (".env", f"# DB_PASSWORD={MADE_UP}\nDB_PASSWORD=\n", None),
        (".env.local", f'export API_TOKEN="{MADE_UP}" # own\n', "environment"),
        (".env", "REDIS_URL=redis://:longpassword@redis:6379\n", None),
        (".env", f"DATABASE_URL=postgres://u:{MADE_UP}@db.acme.io/x\n", "environment"),
        (".env", "SECRET_KEY=op://vault/item/field\nTOKEN_TTL=3600000000\nAPI_KEY_FILE=/run/secrets/key\n", None),
        (".env.example", f"DB_PASSWORD={MADE_UP}\n", None),
        (".bash_history", "ls\n", "history"),
        ("terraform.tfstate", '{"resources": [{}]}', "state"),
        ("release.jks", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", None),
    ],
)
def test_kinds(path: str, content: str | bytes, kind: str | None) -> None:
    data = content.encode() if isinstance(content, str) else content
    assert FORMAT.claims(path)
    assert kind_of(path, data) == kind
    assert FORMAT.recognises(path, data) == (kind is not None)
    found = of_type(load_file(path, data), "committed_file")
    assert [each.value["kind"] for each in found] == ([] if kind is None else [kind])


@pytest.mark.parametrize("value", [*PLACEHOLDERS, "postgres", "%TOKEN%"])
def test_placeholders_are_no_secrets(value: str) -> None:
    assert not is_written(value)


@pytest.mark.parametrize(
    ("path", "size", "kind"),
    [
        ("a.hprof", 5000, "memory"),
        ("a.exe", 5000, "executable"),
        ("gradle/wrapper/gradle-wrapper.jar", 60_000, None),
        ("a.png", 60_000, None),
        ("a.png", 6_000_000, "large"),
        ("notes.txt", 6_000_000, None),
        ("a.bak", 100, None),
        ("a.bak", 5000, "dump"),
        ("prod-db-backup.tar.gz", 5000, "dump"),
        ("release.tar.gz", 5000, "archive"),
        ("core.123", 5000, "memory"),
        ("core.py", 5000, None),
    ],
)
def test_bulky_kinds(path: str, size: int, kind: str | None) -> None:
    found = of_type(load_project({path: bytes(size)}), "committed_file")
    assert [each.value["kind"] for each in found] == ([] if kind is None else [kind])


def test_what_is_in_such_a_file_is_in_no_report(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".env").write_text(f"A_TOKEN={MADE_UP}\n")
    (tmp_path / ".npmrc").write_text(f"//npm.acme.io/:_authToken={MADE_UP}\n")
    (tmp_path / ".netrc").write_text(f"machine x login y password {MADE_UP}\n")
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = https://u:{MADE_UP}@pypi.acme.io/simple\n")
    (tmp_path / "server.key").write_text(KEY.format("", ""))
    for name in ("text", "json", "sarif", "junit", "html", "markdown", "findings-csv", "github-annotations"):
        done = CliRunner().invoke(root, ["scan", str(tmp_path), "--format", name, "--fail-on", "never", "--verbose"])
        assert done.exit_code == 0, done.output
        assert ".netrc" in done.output
        assert MADE_UP not in done.output
        assert "bm90IGEga2V5" not in done.output


def git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)


def failing(folder: Path, *arguments: str) -> set[tuple[str, str]]:
    done = CliRunner().invoke(
        root, ["scan", str(folder), "--tag", "repository", "--format", "json", "--fail-on", "never", *arguments]
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    return {(each["rule"], each["location"]["path"]) for each in report["findings"] if each["outcome"] == "fail"}


def test_what_git_ignores_is_no_finding_but_what_it_tracks_is(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".env*\n")
    (tmp_path / ".env").write_text(f"A_TOKEN={MADE_UP}\n")
    (tmp_path / ".env.production").write_text(f"A_TOKEN={MADE_UP}\n")
    git(tmp_path, "add", "-f", ".env.production", ".gitignore")
    found = {path for rule, path in failing(tmp_path) if rule == "credentials-file-not-committed"}
    assert found == {".env.production"}


def test_a_named_file_is_judged_without_the_rest(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "server.key").write_text(KEY.format("", ""))
    (tmp_path / "a.txt").write_text("x")
    os.chdir(tmp_path)
    assert failing(tmp_path / "server.key") == {("private-key-not-committed", "server.key")}
    assert ("code-owners-present", ".github/CODEOWNERS") in failing(tmp_path)
