"""Code owners: what lines say, which files they speak of, and who has the last word."""

from __future__ import annotations

import random
import time

import pytest
from codeowners import CodeOwners

from policy_engine_plugins.repository.codeowners import (
    Paths,
    glob_part,
    match_github,
    match_gitlab,
    ownership,
    parse,
)
from repository_reading import load_file, load_project, of_type, one

FILES = [
    "a.js",
    "src/a.js",
    "src/deep/er/b.js",
    "docs/a.md",
    "docs/guide/b.md",
    "apps/docs/c.md",
    "apps/web/docs/d.md",
    "build/logs/x.log",
    "deep/build/logs/y.log",
    "Makefile",
    "tools/Makefile",
    "my folder/x y.txt",
    "docs.md",
    "docs-old/z.md",
    ".github/workflows/ci.yml",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", FILES),
        ("*.js", ["a.js", "src/a.js", "src/deep/er/b.js"]),
        ("/*.js", ["a.js"]),
        ("/docs/", ["docs/a.md", "docs/guide/b.md"]),
        ("docs/", ["docs/a.md", "docs/guide/b.md", "apps/docs/c.md", "apps/web/docs/d.md"]),
        ("docs", ["docs/a.md", "docs/guide/b.md", "apps/docs/c.md", "apps/web/docs/d.md"]),
        ("docs/*", ["docs/a.md"]),
        ("/docs/*", ["docs/a.md"]),
        ("docs/**", ["docs/a.md", "docs/guide/b.md"]),
        ("**/docs/", ["docs/a.md", "docs/guide/b.md", "apps/docs/c.md", "apps/web/docs/d.md"]),
        ("**/logs", ["build/logs/x.log", "deep/build/logs/y.log"]),
        ("/build/logs/", ["build/logs/x.log"]),
        ("apps/**/docs", ["apps/docs/c.md", "apps/web/docs/d.md"]),
        ("/apps/*/docs", ["apps/web/docs/d.md"]),
        ("Makefile", ["Makefile", "tools/Makefile"]),
        ("/Makefile", ["Makefile"]),
        ("my\\ folder/", ["my folder/x y.txt"]),
        ("?.js", ["a.js", "src/a.js", "src/deep/er/b.js"]),
        ("/.github/", [".github/workflows/ci.yml"]),
        ("src/deep", ["src/deep/er/b.js"]),
        ("s*c/*.js", ["src/a.js"]),
        ("/nothing/", []),
    ],
)
def test_patterns_of_github(pattern: str, expected: list[str]) -> None:
    paths = Paths(FILES)
    assert sorted(paths.paths[number] for number in match_github(pattern, paths)) == sorted(expected)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", FILES),
        ("*.js", ["a.js", "src/a.js", "src/deep/er/b.js"]),
        ("docs", []),
        ("docs/", ["docs/a.md", "docs/guide/b.md", "apps/docs/c.md", "apps/web/docs/d.md"]),
        ("/docs/", ["docs/a.md", "docs/guide/b.md"]),
        ("/docs/*", ["docs/a.md"]),
        ("guide/b.md", ["docs/guide/b.md"]),
        ("/docs/**/*.md", ["docs/a.md", "docs/guide/b.md"]),
        ("Makefile", ["Makefile", "tools/Makefile"]),
        ("/Makefile", ["Makefile"]),
    ],
)
def test_patterns_of_gitlab(pattern: str, expected: list[str]) -> None:
    paths = Paths(FILES)
    assert sorted(paths.paths[number] for number in match_gitlab(pattern, paths)) == sorted(expected)


def test_owners_are_those_that_another_implementation_finds() -> None:
    """Against the `codeowners` package, a port of the one that GitHub's own tools go by."""
    chosen = random.Random(7)
    parts = ["a", "b", "ab", "*", "a*", "*b", "?", "a?b", "**", "docs", "*.md", "x.md"]
    names = ["a", "b", "ab", "axb", "docs", "x.md", "y.md", "ba"]
    paths = sorted({"/".join(chosen.choices(names, k=chosen.randint(1, 4))) for _ in range(150)})
    # A file is no folder of another one.
    paths = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    compared = 0
    for _ in range(1500):
        pattern = "/".join(chosen.choices(parts, k=chosen.randint(1, 3)))
        pattern = chosen.choice(["", "/"]) + pattern + chosen.choice(["", "", "/"])
        # It reads `**/` at the end, and a folder of `*`, otherwise than the documentation does.
        if pattern.rstrip("/").endswith("**") or "**/**" in pattern or pattern.endswith("*/") or pattern == "/*/":
            continue
        theirs = CodeOwners(f"{pattern} @x\n")
        found = Paths(paths)
        ours = {found.paths[number] for number in match_github(pattern, found)}
        expected = {path for path in paths if theirs.of(path)}
        assert ours == expected, pattern
        compared += 1
    assert compared > 800


@pytest.mark.parametrize(
    ("line", "pattern", "owners"),
    [
        ("* @a", "*", ["@a"]),
        ("*   @a\t@b/c d@e.org # @f", "*", ["@a", "@b/c", "d@e.org"]),
        ("/my\\ folder/ @a", "/my\\ folder/", ["@a"]),
        ("/generated/", "/generated/", []),
        ("\t* @a", "*", ["@a"]),
    ],
)
def test_a_line_is_a_pattern_and_owners(line: str, pattern: str, owners: list[str]) -> None:
    (entry,) = parse(f"# comment\n\n{line}\n".encode(), "github")
    assert (entry.number, entry.pattern, entry.owners, entry.faults) == (3, pattern, owners, [])
    start = entry.span.start_column - 1
    assert line[start : entry.span.end_column - 1] == pattern


@pytest.mark.parametrize(
    "owner",
    ["@a", "@a-b", "@org/team-name", "@org/team.name", "a.b@example.com", "@mona_acme"],
)
def test_owners_that_can_be(owner: str) -> None:
    assert not parse(f"* {owner}".encode(), "github")[0].owner_faults


@pytest.mark.parametrize("owner", ["a", "@", "@-a", "@a/b/c", "@a,", "a@b", "@org/", "team/x", "@a@b"])
def test_owners_that_cannot_be(owner: str) -> None:
    assert parse(f"* {owner}".encode(), "github")[0].owner_faults


def test_sections_of_gitlab_decide_each_for_itself() -> None:
    text = "* @all\n[Docs][2] @writers\ndocs/\n*.md @md\n^[Maybe]\n* @maybe\n[docs]\n!docs/guide/\n"
    entries = parse(text.encode(), "gitlab")
    assert [(each.pattern, each.section, each.owners, each.optional) for each in entries] == [
        ("*", "", ["@all"], False),
        ("docs/", "docs", ["@writers"], False),
        ("*.md", "docs", ["@md"], False),
        ("*", "maybe", ["@maybe"], True),
        ("docs/guide/", "docs", [], False),
    ]
    paths = Paths(["docs/a.md", "docs/guide/b.md"])
    owned = ownership(entries, paths, "gitlab")
    assert owned is not None
    assert {paths.paths[index]: numbers for index, numbers in owned.by.items()} == {
        "docs/a.md": [0, 2, 3],
        "docs/guide/b.md": [0, 3],
    }


def test_the_last_line_has_the_word() -> None:
    files = {".github/CODEOWNERS": "docs/ @a\n* @b\n/src/ @c\n/src/x/\n", "docs/a": "", "src/a": "", "src/x/b": ""}
    found = {each.name: each.value for each in of_type(load_project(files), "codeowners_match")}
    assert {name: (each["matches"], each["effective"], each["takes_away"]) for name, each in found.items()} == {
        "docs/": (1, 0, False),
        "*": (4, 2, False),
        "/src/": (2, 1, False),
        "/src/x/": (1, 1, True),
    }
    assert one(load_project(files), "codeowners").value["unowned"] == "1 of 4 files (src/x/b, ...)"


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ([".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"], ".github/CODEOWNERS"),
        (["CODEOWNERS", "docs/CODEOWNERS"], "CODEOWNERS"),
        ([".gitlab-ci.yml", "CODEOWNERS", ".gitlab/CODEOWNERS"], "CODEOWNERS"),
        ([".gitlab-ci.yml", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"], "docs/CODEOWNERS"),
        ([".gitlab/CODEOWNERS"], ".gitlab/CODEOWNERS"),
    ],
)
def test_the_first_file_counts(files: list[str], chosen: str) -> None:
    made = load_project(dict.fromkeys(files, "* @a\n"))
    assert one(made, "codeowners").name == chosen
    assert one(made, "repository").value["code_owners"] == chosen


@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "?" * 200, "a*" * 100, "**/" * 60 + "x", "\\" * 99])
def test_no_pattern_is_slow(pattern: str) -> None:
    paths = Paths(["a" * 250 + f"/{number}/" + "a" * 250 for number in range(300)])
    started = time.perf_counter()
    match_github(pattern, paths)
    match_gitlab(pattern, paths)
    glob_part(pattern, "a" * 4000)
    assert time.perf_counter() - started < 5


def test_a_huge_file_is_given_up_and_told() -> None:
    lines = "".join(f"*{number}* @a\n" for number in range(25_000))
    files = {"CODEOWNERS": lines, **{f"src/{number}.py": "" for number in range(3000)}}
    started = time.perf_counter()
    loaded = load_project(files)
    assert time.perf_counter() - started < 30
    alone = load_file("CODEOWNERS", lines)
    assert [each.kind.value for each in alone.problems] == ["limited"]
    assert len(alone.resources) == 20_000
    assert loaded.resources


def test_too_much_work_is_not_begun() -> None:
    entries = parse(b"* @a\n" * 20_000, "github")
    started = time.perf_counter()
    assert ownership(entries, Paths([f"{number}" for number in range(20_000)]), "github") is None
    assert time.perf_counter() - started < 10
