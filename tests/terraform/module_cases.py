"""Module cases: whole configurations in one file each, with what Terraform itself makes of them.

A case's sections, `== path ==`, are the files of a configuration; the last one, `== expected ==`, holds for every
resource instance the `input` that Terraform plans, an unknown value as `{"?": true}`, or the `error` it stops with.
`python tests/terraform/module_cases.py` fills it in by running the real Terraform, which must be on the PATH.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "modules"
UNKNOWN = {"?": True}
_SECTION = re.compile(r"^== (\S+) ==\n", re.MULTILINE)


def cases() -> list[Path]:
    return sorted(FOLDER.rglob("*.txt"))


def read(case: Path) -> tuple[dict[str, str], dict[str, Any] | None]:
    """The files of a case, and what is expected of it where that has been recorded."""
    parts = _SECTION.split(case.read_text(encoding="utf-8"))
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    expected = sections.pop("expected", None)
    return sections, None if expected is None else json.loads(expected)


def planned(files: dict[str, str]) -> dict[str, Any]:
    """What Terraform makes of the files."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        error = _run(folder, "init", "-input=false") or _run(folder, "plan", "-input=false", "-out=plan")
        if error:
            return {"error": error}
        shown = subprocess.run(
            ["terraform", "show", "-json", "plan"], cwd=folder, capture_output=True, text=True, check=True
        )
        changes = json.loads(shown.stdout).get("resource_changes", [])
    return {change["address"]: _with_unknowns(change["change"]) for change in changes}


def _run(folder: str, *arguments: str) -> str:
    """The first error's headline, or nothing."""
    done = subprocess.run(
        ["terraform", *arguments, "-no-color"], cwd=folder, capture_output=True, text=True, check=False
    )
    found = re.search(r"Error: (.*)", done.stderr + done.stdout)
    return "" if done.returncode == 0 else found[1] if found else "failed"


def _with_unknowns(change: dict[str, Any]) -> Any:
    def merged(value: Any, unknown: Any) -> Any:
        if unknown is True:
            return UNKNOWN
        if isinstance(unknown, dict):
            known = value or {}
            return {key: merged(known.get(key), unknown.get(key)) for key in sorted({*known, *unknown})}
        if isinstance(unknown, list):
            return [merged(item, unknown[at] if at < len(unknown) else None) for at, item in _padded(value, unknown)]
        return value

    return merged(change["after"].get("input"), change["after_unknown"].get("input"))


def _padded(value: list[Any] | None, unknown: list[Any]) -> Iterator[tuple[int, Any]]:
    items = value or []
    yield from enumerate([*items, *[None] * (len(unknown) - len(items))])


def record(case: Path) -> None:
    files, _ = read(case)
    expected = json.dumps(planned(files), indent=2, ensure_ascii=False)
    text = "".join(f"== {path} ==\n{content}" for path, content in files.items())
    case.write_text(f"{text}== expected ==\n{expected}\n", encoding="utf-8")


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or [one for one in cases() if read(one)[1] is None]:
        record(path)
        print(path)
