"""The page in a real browser, and what it may hold."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from policy_engine.finding import Suppression
from policy_engine.moment import Moment
from policy_engine.plugins import Plugins
from policy_engine.report import Report
from policy_engine.reporter import Display
from policy_engine.span import Location, Span
from policy_engine.statement import Applicability, Statement
from policy_engine.verdict import ControlStatus
from policy_engine.waiver import Waiver
from sample import ENCRYPTED, HOSTILE, LOGGED, QUIET, finding, report

BROWSER = Path(__file__).parents[1] / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or shutil.which("node") is None or not (BROWSER / "node_modules").is_dir(),
    reason="needs Chromium, Node.js and `npm ci` in tests/browser",
)


@pytest.fixture(scope="module")
def whole(plugins: Plugins) -> Report:
    """A report with something in every section, strangers' text included."""
    place = Location(".policy-engine/waivers.yaml", Span(2, 5, 2, 20))
    waiver = Waiver(
        "thing-logged", HOSTILE, "", HOSTILE, HOSTILE, "x", "T-1", date(2026, 1, 1), date(2026, 3, 1), place
    )
    statement = Statement(
        "iso27001-2022",
        {
            "A.7.1": Applicability("A.7.1", False, place, HOSTILE),
            "A.8.24": Applicability("A.8.24", True, place, HOSTILE, "partly", ("automation",), HOSTILE, (), (HOSTILE,)),
        },
        place,
        organisation=HOSTILE,
    )
    first = report(plugins.framework("iso27001-2022"), plugins.framework("iso27001-2013"))
    waived = finding(LOGGED, line=77, address="aws_thing.w")._replace(
        suppression=Suppression("waiver", HOSTILE, waiver.location)
    )
    trend = [
        Moment(f"2026-01-{day:02}T02:00:00Z", day, 1, 2, 0, {status.value: day for status in ControlStatus})
        for day in range(1, 29)
    ]
    now = replace(
        first,
        findings=[*first.findings, waived],
        whole=True,
        today=date(2026, 6, 1),
        statement=statement,
        waivers=[waiver],
        not_applicable=["thing-quiet"],
        trend=trend,
    )
    earlier = replace(now, findings=first.findings[3:], trend=())
    return replace(now, previous=earlier)


def page(plugins: Plugins, which: Report) -> str:
    return plugins.reporters["html"].render(which, Display())


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))


def test_nothing_is_loaded_and_no_stranger_writes_markup(plugins: Plugins, whole: Report) -> None:
    elements = Elements()
    text = page(plugins, whole)
    elements.feed(text)
    for tag, attributes in elements.tags:
        assert tag not in ("img", "link", "iframe", "object", "embed", "base", "audio", "video"), tag
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes), (tag, attributes)
        if "href" in attributes:
            assert str(attributes["href"]).startswith("#")
    assert [tag for tag, _ in elements.tags].count("script") == 2
    assert "default-src 'none'" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_every_link_has_a_place_and_every_id_stands_once(plugins: Plugins, whole: Report) -> None:
    elements = Elements()
    elements.feed(page(plugins, whole))
    ids = [attributes["id"] for _, attributes in elements.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    linked = {str(attributes["href"])[1:] for tag, attributes in elements.tags if tag == "a"}
    assert linked <= set(ids)
    assert {f"iso27001-2022-{name}" for name in plugins.framework("iso27001-2022").controls} <= linked


def test_it_names_its_source_and_claims_nothing(plugins: Plugins, whole: Report) -> None:
    text = page(plugins, whole)
    assert "Based on ISO/IEC 27001:2022 Annex A and ISO/IEC 27002 guidance." in text
    assert not re.search(r"(?i)\bcomplian|\bconform", text)


def test_a_part_of_a_project_gets_no_heat_map(plugins: Plugins, whole: Report) -> None:
    text = page(plugins, replace(whole, whole=False, previous=None))
    assert "no verdicts on controls" in text
    assert 'class="cell' not in text


def look(path: Path) -> list[dict[str, Any]]:
    assert CHROMIUM is not None
    done = subprocess.run(
        ["node", str(BROWSER / "look.js"), CHROMIUM, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    seen: list[dict[str, Any]] = json.loads(done.stdout)
    assert [(each["width"], each["scheme"]) for each in seen] == [
        (1280, "light"), (1280, "dark"), (360, "light"), (360, "dark"),
    ]  # fmt: skip
    for each in seen:
        assert each["violations"] == []
        assert each["complaints"] == []
        assert each["requests"] == []
        assert not each["tooWide"]
    return seen


@needs_browser
def test_a_browser_and_axe_have_nothing_to_complain_of(plugins: Plugins, whole: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page(plugins, whole), encoding="utf-8")
    shown = len(whole.findings)
    for each in look(path):
        assert each["used"]["first"] == each["used"]["again"] == shown
        assert each["used"]["undecided"] == 1


@needs_browser
def test_25_000_findings_open_at_once(plugins: Plugins, whole: Report, tmp_path: Path) -> None:
    many = [
        finding(
            (ENCRYPTED, LOGGED, QUIET)[number % 3],
            path=f"infra/team-{number % 97}/main.tf",
            line=number % 500 + 1,
            address=f"module.m{number % 31}.aws_thing.t{number}",
            message=f"thing {number} is wrong",
        )
        for number in range(25_000)
    ]
    path = tmp_path / "report.html"
    path.write_text(page(plugins, replace(whole, findings=[*whole.findings, *many])), encoding="utf-8")
    for each in look(path):
        assert each["milliseconds"] < 3000
        assert each["used"]["first"] == each["used"]["again"] == 50
        assert each["used"]["took"] < 1000  # leafing and filtering
