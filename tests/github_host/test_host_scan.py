"""`policy-engine scan --github`: from the command line to the report, with a server that answers as GitHub does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pretend_github import TOKEN, Pretend, Reply, organization, pretending, repository

NAME = "web.github-snapshot.json"
HIDDEN = (TOKEN, "must-not-be-kept", "pass-in-url", "path-that-is-secret", "query-secret", "********")


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.out)["findings"]
        return found


@dataclass
class Runner:
    server: Pretend
    folder: Path

    def __call__(self, *arguments: str, token: str | None = TOKEN, **environment: str) -> Done:
        given = {"GITHUB_API_URL": self.server.url, **({"GH_TOKEN": token} if token else {}), **environment}
        done = subprocess.run(
            [sys.executable, "-m", "policy_engine", *arguments],
            cwd=self.folder,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Runner]:
    with pretending(repository()) as server:
        yield Runner(server, tmp_path)
    assert {method for method, _, _ in server.seen} <= {"GET"}
    assert server.tokens <= {f"Bearer {TOKEN}"}


def outcomes(done: Done, rule: str) -> list[tuple[str, int]]:
    return [(one["outcome"], one["location"]["start_line"]) for one in done.findings if one["rule"] == rule]


def test_a_repository_that_is_set_up_well_has_no_findings(run: Runner) -> None:
    done = run("scan", "--github", "acme/web")
    assert (done.code, done.err) == (0, "")
    assert "passed: 0 findings" in done.out


def test_a_live_finding_points_at_the_setting_in_the_snapshot(run: Runner) -> None:
    run.server.routes["/repos/acme/web/actions/permissions/workflow"]["default_workflow_permissions"] = "write"
    done = run("scan", "--github", "acme/web", "--save", NAME, "--format", "json")
    assert done.code == 1
    (finding,) = [one for one in done.findings if one["outcome"] == "fail"]
    assert (finding["rule"], finding["address"]) == ("workflow-token-read-by-default", "acme/web/actions")
    assert finding["location"]["path"] == NAME
    line = (run.folder / NAME).read_text().splitlines()[finding["location"]["start_line"] - 1]
    assert line.strip() == '"default_workflow_permissions": "write"'
    assert "Settings > Actions > General" in finding["remediation"]


def test_a_saved_snapshot_repeats_the_scan_without_the_server(run: Runner) -> None:
    run.server.routes["/repos/acme/web/hooks"][0]["config"]["url"] = "http://hooks.acme.example/"
    run.server.routes["/repos/acme/web/secret-scanning/alerts"] = [{"secret_type": "npm", "secret": TOKEN}] * 3
    live = run("scan", "--github", "acme/web", "--save", NAME, "--format", "json")
    asked = len(run.server.seen)
    offline = run("scan", NAME, "--format", "json", token=None)
    assert live.code == offline.code == 1
    assert live.findings == offline.findings
    assert len(run.server.seen) == asked
    # And a snapshot that is met in a folder is the same again.
    assert run("scan", ".", "--format", "json", token=None).findings == live.findings


def test_the_same_settings_give_the_same_bytes_but_for_the_time(run: Runner) -> None:
    run("scan", "--github", "acme/web", "--save", f"a/{NAME}")
    run("scan", "--github", "acme/web", "--save", f"b/{NAME}")
    first, second = (json.loads((run.folder / each / NAME).read_text()) for each in "ab")
    assert first.pop("read_at") <= second.pop("read_at")
    assert first == second


REFUSED = {
    "a fine-grained token": Reply(
        403,
        {"message": "Resource not accessible by personal access token"},
        {"X-Accepted-GitHub-Permissions": "administration=read"},
    ),
    "a classic token": Reply(404, {"message": "Not Found"}),
    "a server that is down": Reply(503, {"message": "No server is currently available"}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_may_not_be_read_is_unknown_and_never_a_pass(run: Runner, why: str) -> None:
    about = run.server.routes["/repos/acme/web"]
    # What a token without administration is told of a repository.
    kept = {key: about[key] for key in ("id", "full_name", "private", "archived", "fork", "default_branch", "owner")}
    run.server.routes = {"/repos/acme/web": kept}
    for path in repository():
        if path != "/repos/acme/web":
            run.server.routes[path] = REFUSED[why]
    done = run("scan", "--github", "acme/web", "--format", "json", "--fail-on", "info")
    told = {one["rule"]: one for one in done.findings}
    # The one thing that a 404 does tell: that there is no file of code owners.
    assert {one["outcome"] for one in done.findings} == {"unknown"}
    assert len(told) > 20
    message = told["branch-review-required"]["message"]
    # What another try might bring makes the scan incomplete; a permission that lacks does not.
    assert done.code == (3 if why == "a server that is down" else 0)
    if why == "a server that is down":
        assert "could not be read (HTTP 503" in message
        assert any("/hooks: HTTP 503" in json.dumps(one) for one in json.loads(done.out)["problems"])
    else:
        assert "grant the token 'Administration: read', or a classic one the scope 'repo'" in message
        assert ("GitHub asks for administration=read" in message) == (why == "a fine-grained token")


def test_no_secret_and_no_token_is_kept_or_told_anywhere(run: Runner, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.mktemp("cache")
    run.server.routes["/repos/acme/web/secret-scanning/alerts"] = [{"secret_type": "npm", "secret": HIDDEN[1]}]
    run.server.routes["/repos/acme/web/keys"] = Reply(403, {"message": f"{TOKEN} may not"}, {"X-Other": TOKEN})
    run.server.routes["/repos/acme/web/environments"] = Reply(200, raw=TOKEN.encode())
    run.server.routes["/repos/acme/web/actions/runners"] = Reply(200, {"a": TOKEN}, cut=3)
    reports = [
        f"--format={name}=report.{name}" for name in ("json", "sarif", "html", "markdown", "junit", "findings-csv")
    ]
    shown = []
    for debug in ({}, {"POLICY_ENGINE_DEBUG": "1"}):
        done = run(
            *("scan", "--github", "acme/web", "--save", NAME, "--format=text", "--verbose", *reports),
            XDG_CACHE_HOME=str(cache),
            **debug,
        )
        assert done.code == 1, done.err
        shown.append(done.out + done.err)
    nightly = run("nightly", "--db", "history.sqlite", "--format", "json", token=None)
    shown.append(nightly.out + nightly.err)
    assert nightly.code == 3  # two answers never came in full
    files = [path for folder in (run.folder, cache) for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 9
    for hidden in HIDDEN:
        assert all(hidden not in text for text in shown), hidden
        assert [path for path in files if hidden.encode() in path.read_bytes()] == [], hidden
    import sqlite3
    import zlib

    (kept,) = sqlite3.connect(run.folder / "history.sqlite").execute("select document from policy_engine_reports")
    assert all(hidden.encode() not in zlib.decompress(kept[0]) for hidden in HIDDEN)


def test_settings_and_checkout_are_one_scan(run: Runner) -> None:
    (run.folder / "main.tf").write_text('resource "github_repository" "web" {\n  name = "web"\n}\n')
    done = run("scan", ".", "--github", "acme/web", "--format", "json")
    assert [one["rule"] for one in done.findings if one["outcome"] == "fail"] == ["repository-visibility-stated"]
    judged = {one["location"]["path"] for one in json.loads(done.out)["passes"]}
    assert "acme/web/settings.github-snapshot.json" in judged


WAIVER = """waivers:
  - rule: workflow-token-read-by-default
    resource: acme/web/actions
    reason: the release robot needs it
    owner: ann
    approver: bob
    created: 2026-01-01
    expires: 2999-01-01
"""


def test_a_waiver_accepts_a_live_finding(run: Runner) -> None:
    run.server.routes["/repos/acme/web/actions/permissions/workflow"]["default_workflow_permissions"] = "write"
    (run.folder / ".policy-engine").mkdir()
    (run.folder / ".policy-engine/waivers.yaml").write_text(WAIVER)
    done = run("scan", "--github", "acme/web", "--format", "json", "--fail-on", "low")
    (finding,) = [one for one in done.findings if one["rule"] == "workflow-token-read-by-default"]
    assert finding["suppression"] is not None, done.err


def test_an_archived_repository_is_told_and_not_judged(run: Runner) -> None:
    run.server.routes["/repos/acme/web"]["archived"] = True
    done = run("scan", "--github", "acme/web", "--format", "json")
    assert (done.code, done.findings) == (0, [])
    assert len(run.server.seen) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--github", "acme"], "no repository; write it as OWNER/REPO"),
        (["--github", "acme/../etc"], "no repository"),
        (["--github", "acme/web?x=1"], "no repository"),
        (["--github-org", "acme/web"], "no name of an organisation"),
        (["--github", "acme/web", "--base", "main"], "has no base"),
        (["--github", "acme/web", "--save", "x.json"], "name it like settings.github-snapshot.json"),
        (["--save", NAME], "--save keeps what is read from a host"),
        (["--format", "json={target}.json"], "only targets of a host"),
        (["--github", "acme/web", "--github-api", "http://api.example"], "over https only"),
        (["--github", "acme/web", "--github-workers", "0"], "0 is not in the range"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run: Runner, arguments: list[str], told: str) -> None:
    done = run("scan", *arguments)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) == 1
    assert run.server.seen == []


def test_without_a_token_nothing_is_asked(run: Runner) -> None:
    done = run("scan", "--github", "acme/web", token=None)
    assert (done.code, done.err) == (
        2,
        "policy-engine: error: settings are read with a token: set GH_TOKEN or GITHUB_TOKEN in the environment\n",
    )
    assert run.server.seen == []


def test_a_token_that_is_not_accepted_is_wrong_usage(run: Runner) -> None:
    run.server.routes["/repos/acme/web"] = Reply(401, {"message": "Bad credentials"})
    done = run("scan", "--github", "acme/web")
    assert done.code == 2
    assert "does not accept the token (Bad credentials)" in done.err


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(404, {"message": "Not Found"}), "there is none at http://127.0.0.1"),
        (Reply(503), "does not tell: HTTP 503, 3 times"),
        (Reply(451, {"message": "Blocked"}), "does not tell: HTTP 451: Blocked"),
    ],
)
def test_a_repository_that_cannot_be_read_makes_the_scan_incomplete(run: Runner, reply: Reply, told: str) -> None:
    run.server.routes["/repos/acme/web"] = reply
    done = run("scan", "--github", "acme/web", "--verbose")
    assert done.code == 3
    assert told in " ".join(done.out.split())


def test_a_wait_is_told_on_standard_error(run: Runner) -> None:
    replies = [Reply(429, {"message": "x"}, {"Retry-After": "1"}), Reply(204)]
    run.server.routes["/repos/acme/web/vulnerability-alerts"] = lambda _: (
        replies.pop(0) if len(replies) > 1 else replies[0]
    )
    done = run("scan", "--github", "acme/web")
    assert done.code == 0
    assert done.err == "policy-engine: GitHub: the rate limit is reached; waiting 1 s\n"


def test_protection_and_rulesets_take_effect_together(run: Runner) -> None:
    """Neither is enough, both together are."""
    at = "/repos/acme/web"
    whole = run.server.routes[f"{at}/rules/branches/main"]
    run.server.routes[f"{at}/rules/branches/main"] = [rule for rule in whole if rule["type"] != "pull_request"]
    lacking = run("scan", "--github", "acme/web", "--format", "json", "--rule", "branch-review*")
    assert {one["rule"] for one in lacking.findings if one["outcome"] == "fail"} == {"branch-review-required"}
    run.server.routes[f"{at}/branches/main/protection"] = {
        "url": f"{run.server.url}{at}/branches/main/protection",
        "required_pull_request_reviews": {"dismiss_stale_reviews": True, "required_approving_review_count": 2},
        "enforce_admins": {"enabled": True},
    }
    assert run("scan", "--github", "acme/web", "--rule", "branch-review-required").code == 0


def test_help_names_the_options_of_the_host(run: Runner) -> None:
    shown = run("scan", "--help").out
    assert all(option in shown for option in ("--github OWNER/REPO", "--github-org ORG", "--github-workers", "--save"))


SECOND_HOST = """
from datetime import datetime, timezone
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.host import Host, HostOption, Reader
from policy_engine.resource import Resource
from policy_engine.span import Fixed, Location, Span
from policy_engine.unit import Loaded

class Notes(Format):
    name = "notes"
    title = "Notes"
    example_path = "a.note"
    def claims(self, path): return path.endswith(".note")
    def load(self, unit, tree):
        at = Location(unit.name, Span(1, 1, 1, 2))
        text = tree.read(unit.name).decode()
        return Loaded([Resource("notes", "note", text, text, {"text": text}, at, Fixed(at))])

class Reads(Reader):
    workers = 2
    def members(self, group): return [f"{group}-{n}" for n in range(3)]
    def read(self, target): return target.encode()

class Shelf(Host):
    name = "shelf"
    title = "Shelf"
    options = (HostOption("shelf", "a note.", "target", "NOTE"), HostOption("shelf-all", "all.", "group", "SHELF"))
    def open(self, values, tell): return Reads()
    def place(self, target): return f"{target}/one.note"
    def takes_name(self, path): return path.endswith(".note")
    def read_at(self, data, target): return datetime.now(timezone.utc)

@hookimpl
def register_formats(): return [Notes()]
@hookimpl
def register_hosts(): return [Shelf()]
"""


def test_another_plugin_brings_another_host(run: Runner, tmp_path: Path) -> None:
    """The hall knows no host by name: a package with an entry point is all it takes."""
    package = tmp_path / "site"
    (package / "shelf-1.dist-info").mkdir(parents=True)
    (package / "shelf_host.py").write_text(SECOND_HOST)
    (package / "shelf-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1\n")
    (package / "shelf-1.dist-info" / "entry_points.txt").write_text("[policy_engine]\nshelf = shelf_host\n")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "note-short.yaml").write_text(
        "id: note-short\ntitle: Notes are short\nseverity: low\ncontrols: [A.5.10]\nrationale: Nobody reads more.\n"
        "targets:\n  - format: notes\n    resource: note\n    require: {path: text, matches: '^.{1,3}$'}\n"
        "message: '{name} is long'\nremediation: Cut it.\n"
    )
    more = {"PYTHONPATH": str(package)}
    done = run("scan", "--shelf-all", "b", "--shelf", "long-one", "--rules", "rules", "-f", "json", token=None, **more)
    assert [one["address"] for one in done.findings if one["outcome"] == "fail"] == ["long-one"], done.err
    assert [one["address"] for one in json.loads(done.out)["passes"]] == ["b-0", "b-1", "b-2"]
    kept = run("scan", "--shelf-all", "b", "--save", "kept", "--rules", "rules", token=None, **more)
    assert kept.code == 0
    assert (run.folder / "kept/b-1/one.note").read_text() == "b-1"
    assert (run.folder / "kept/b.list").read_text().splitlines()[0] == "b-0 = b-0"


def test_an_organisation_is_read_with_its_repositories(run: Runner) -> None:
    run.server.routes.update(organization("acme", 3))
    run.server.routes["/orgs/acme"]["two_factor_requirement_enabled"] = False
    run.server.routes["/repos/acme/service-0001"] = Reply(404, {"message": "Not Found"})
    done = run("scan", "--github-org", "acme", "--save", "kept", "-f", "json", "-f", "json=reports/{target}.json")
    assert done.code == 1
    assert [one["rule"] for one in done.findings if one["outcome"] == "fail"] == ["organization-two-factor-required"]
    # One that cannot be read is told, and does not stop the others.
    assert "acme/service-0001: there is none" in json.dumps(json.loads(done.out)["problems"])
    reports = {str(path.relative_to(run.folder / "reports")) for path in (run.folder / "reports").rglob("*.json")}
    assert reports == {"acme.json", *(f"acme/service-{number:04}.json" for number in range(3))}
    alone = json.loads((run.folder / "reports/acme/service-0000.json").read_text())
    assert {one["location"]["path"] for one in (*alone["findings"], *alone["passes"])} == {
        "kept/acme/service-0000/settings.github-snapshot.json"
    }
    # The list of them is what `nightly` takes.
    nightly = run("nightly", "--list", "kept/acme.list", "--db", "h.sqlite", "--format", "json", token=None)
    told = {one["repository"]: one for one in json.loads(nightly.out)["repositories"]}
    assert set(told) == {"acme", *(f"acme/service-{number:04}" for number in range(3))}
    assert [one["rule"] for one in told["acme"]["new"]] == ["organization-two-factor-required"]
    assert not told["acme/service-0001"]["scanned"]
