"""`action.yml` and the example workflows: valid, clean by zizmor, and run step by step on real pull requests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

import composite

PROJECT = Path(__file__).parents[2]
ACTION = PROJECT / "action.yml"
WORKFLOWS = sorted((PROJECT / "examples" / "workflows").glob("*.yml"))
GITHUB = [PROJECT / ".github" / "workflows" / "ci.yml"] + [
    path for path in WORKFLOWS if path.name not in ("gitlab-ci.yml", "azure-pipelines.yml")
]
OPEN = 'resource "aws_s3_bucket" "%s" {\n  acl = "public-read"\n}\n'
CLOSED = 'resource "aws_s3_bucket" "%s" {\n  acl = "private"\n}\n'
RULES = "rules:\n  select: {ids: [storage-acl-not-public]}\n"


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)


def test_the_action_and_the_workflows_are_valid_by_githubs_schemas() -> None:
    checked = tool("check_jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION))
    assert checked.returncode == 0, checked.stdout
    checked = tool("check_jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, GITHUB))
    assert checked.returncode == 0, checked.stdout
    gitlab = str(PROJECT / "examples" / "workflows" / "gitlab-ci.yml")
    assert tool("check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", gitlab).returncode == 0
    azure = str(PROJECT / "examples" / "workflows" / "azure-pipelines.yml")
    patterns = ("--regex-variant", "python")  # the schema has patterns that are no ECMAScript
    assert tool("check_jsonschema", *patterns, "--builtin-schema", "vendor.azure-pipelines", azure).returncode == 0


def test_the_action_and_the_workflows_are_clean_by_zizmor() -> None:
    zizmor = Path(sys.executable).parent / "zizmor"
    done = subprocess.run(
        [str(zizmor), "--offline", "--no-progress", str(ACTION), *map(str, GITHUB)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "No findings to report" in done.stdout + done.stderr


def test_the_action_and_the_workflows_pass_our_own_rules(tmp_path: Path) -> None:
    """Laid out as a user has them: by their places they are known for workflows."""
    places = [tmp_path / "action.yml", *(tmp_path / ".github" / "workflows" / path.name for path in GITHUB)]
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    for place, path in zip(places, (ACTION, *GITHUB), strict=True):
        place.write_bytes(path.read_bytes())
    done = tool("policy_engine", "scan", str(tmp_path), "--fail-on", "info", "--format", "json")
    report = json.loads(done.stdout)
    assert sum(entry["status"] == "evaluated" for entry in report["ledger"]) == len(places)
    assert [(one["rule"], one["location"]) for one in report["findings"] if one["outcome"] == "fail"] == []


def test_no_input_reaches_a_script_but_through_the_environment() -> None:
    for step in yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_actions_are_pinned_by_commit() -> None:
    for path in (ACTION, *GITHUB):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line and "uses: ./" not in line:
                assert len(line.split("@")[1].split()[0]) == 40, line


class PullRequest:
    """A repository checked out as GitHub does it for a pull request: at the merge of its head into its base."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def open(self, base: dict[str, str], head: dict[str, str]) -> dict[str, Any]:
        """The event's context."""
        self.commit({".policy-engine.yaml": RULES, **base})
        sha = self.git("rev-parse", "HEAD")
        self.git("checkout", "-q", "-b", "head")
        self.commit(head)
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", "head")
        return {
            "event_name": "pull_request",
            "token": "secret-token",
            "event": {"pull_request": {"number": 7, "base": {"sha": sha}, "head": {"repo": {"fork": False}}}},
        }


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RUNNER_TEMP with this very environment in place of the installation."""
    runner = tmp_path_factory.mktemp("runner")
    (runner / "policy-engine").symlink_to(Path(sys.executable).parent.parent)
    return runner


@pytest.fixture
def request_(tmp_path: Path) -> PullRequest:
    return PullRequest(tmp_path / "repository")


def test_a_new_finding_fails_after_its_reports_are_there(request_: PullRequest, installed: Path) -> None:
    github = request_.open({"main.tf": OPEN % "old"}, {"more.tf": OPEN % "added"})
    done = composite.run(ACTION, request_.folder, installed, {"upload-sarif": "true"}, github)
    assert done.failed == "Gate"
    assert "github/codeql-action/upload-sarif" in done.used
    assert {name: done.outputs[name] for name in ("verdict", "new", "existing", "fixed")} == {
        "verdict": "failed",
        "new": "1",
        "existing": "1",
        "fixed": "0",
    }
    assert (
        "::error file=more.tf,line=2,endLine=2,col=3,endColumn=22,title=critical%3A storage-acl-not-public::"
        in done.printed
    )
    assert "added is open to everyone" in done.summary.replace("&#45;", "-")
    assert json.loads(Path(done.outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert Path(done.outputs["junit"]).is_file()


def test_an_old_finding_passes_and_a_fixed_one_is_told(request_: PullRequest, installed: Path) -> None:
    github = request_.open({"main.tf": OPEN % "old" + OPEN % "mended"}, {"main.tf": OPEN % "old" + CLOSED % "mended"})
    wanted = {"formats": "text=findings.txt\n\nmarkdown=more.md"}
    done = composite.run(ACTION, request_.folder, installed, wanted, github)
    assert done.failed == ""
    assert (request_.folder / "findings.txt").read_text().startswith(("fixed", "existing"))
    assert (request_.folder / "more.md").is_file()
    assert (done.outputs["verdict"], done.outputs["existing"], done.outputs["fixed"]) == ("passed", "1", "1")
    assert "Fixed" in done.summary


def test_elsewhere_every_finding_counts(request_: PullRequest, installed: Path) -> None:
    request_.open({"main.tf": OPEN % "old"}, {"main.tf": OPEN % "old" + "# more\n"})
    push = {"event_name": "push", "token": "t", "event": {}}
    assert composite.run(ACTION, request_.folder, installed, {}, push).failed == "Gate"


def test_a_fork_is_told_that_it_cannot_upload(request_: PullRequest, installed: Path) -> None:
    github = request_.open({"main.tf": CLOSED % "a"}, {"main.tf": CLOSED % "b"})
    github["event"]["pull_request"]["head"]["repo"]["fork"] = True
    done = composite.run(ACTION, request_.folder, installed, {"upload-sarif": "true"}, github)
    assert done.failed == ""
    assert "github/codeql-action/upload-sarif" not in done.used
    assert "runs for forks may not" in done.printed


def test_wrong_inputs_fail_with_one_line(request_: PullRequest, installed: Path) -> None:
    github = request_.open({"main.tf": CLOSED % "a"}, {"main.tf": CLOSED % "b"})
    done = composite.run(ACTION, request_.folder, installed, {"paths": "absent"}, github)
    assert done.failed == "Scan"
    assert "'absent' does not exist; name a file or a folder to scan" in done.printed


def test_hostile_names_and_contents_inject_nothing(request_: PullRequest, installed: Path) -> None:
    name = "a\n::error::injected\n::set-output name=x::y.tf"
    hostile = "`x` ${{ github.token }} <img src=x onerror=alert(1)> [l](javascript:x) @team\x1b[31m"
    text = f'resource "aws_s3_bucket" "b" {{\n  for_each = toset(["{hostile}"])\n  acl = "public-read"\n}}\n'
    github = request_.open({"main.tf": CLOSED % "a"}, {name: text, "$(touch ran).tf": OPEN % "c"})
    done = composite.run(ACTION, request_.folder, installed, {"paths": ".\n`touch ran`\n$(touch ran)"}, github)
    assert done.failed == "Scan"  # there are no such paths, and nothing ran
    done = composite.run(ACTION, request_.folder, installed, {}, github)
    assert not (request_.folder / "ran").exists()
    for line in done.printed.splitlines():
        if line.lstrip().startswith("::"):
            assert line.startswith(("::error file=", "::notice file=", "::warning file="))
    assert "\x1b" not in done.printed + done.summary
    assert "<img" not in done.summary
    assert "\n::" not in done.summary
    assert "@team" not in done.summary
    assert set(done.outputs) == set(yaml.safe_load(ACTION.read_text())["outputs"])


# -- the comment


class Comments(BaseHTTPRequestHandler):
    """GitHub's comments of one pull request, as far as they are needed."""

    kept: list[dict[str, Any]]
    status = 200

    def _answer(self, value: object) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def _body(self) -> dict[str, Any]:
        length = int(self.headers["Content-Length"])
        loaded: dict[str, Any] = json.loads(self.rfile.read(length))
        return loaded

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2])
        self._answer(self.kept[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        body = self._body()
        if self.status == 200:
            self.kept.append({"id": len(self.kept) + 1, "user": {"type": "Bot"}, **body})
        self._answer({})

    def do_PATCH(self) -> None:
        number = int(self.path.rpartition("/")[2])
        next(one for one in self.kept if one["id"] == number).update(self._body())
        self._answer({})

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def comments() -> Iterator[tuple[type[Comments], dict[str, str]]]:
    class Handler(Comments):
        pass

    Handler.kept, Handler.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Handler, {"GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}", "GITHUB_REPOSITORY": "acme/shop"}
    server.shutdown()
    server.server_close()


def test_one_comment_is_kept_up_to_date(
    request_: PullRequest, installed: Path, comments: tuple[type[Comments], dict[str, str]]
) -> None:
    handler, environment = comments
    marker = "<!-- policy-engine: this comment is kept up to date -->"
    stranger = {"id": 1, "user": {"type": "User"}, "body": f"{marker} a stranger's"}
    handler.kept[:] = [stranger, *({"id": n, "user": {"type": "Bot"}, "body": "x"} for n in range(2, 150))]
    github = request_.open({"main.tf": CLOSED % "a"}, {"main.tf": OPEN % "b"})
    for _ in range(2):
        done = composite.run(ACTION, request_.folder, installed, {"comment": "true"}, github, environment)
        assert done.failed == "Gate"
    ours = [one for one in handler.kept if one["body"].startswith(marker) and one is not stranger]
    assert len(ours) == 1
    assert "policy-engine: failed" in ours[0]["body"]
    assert handler.kept[0]["body"].endswith("a stranger's")
    assert "secret-token" not in done.printed


def test_a_token_that_may_not_comment_is_no_failure(
    request_: PullRequest, installed: Path, comments: tuple[type[Comments], dict[str, str]]
) -> None:
    handler, environment = comments
    handler.status = 403
    github = request_.open({"main.tf": CLOSED % "a"}, {"main.tf": CLOSED % "b"})
    done = composite.run(ACTION, request_.folder, installed, {"comment": "true"}, github, environment)
    assert done.failed == ""
    assert "the token may not write comments here" in done.printed
