"""Dependencies: who looks for their updates, where they come from, and whether they are fixed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from policy_engine.unknown import Unknown
from policy_engine_plugins.repository.ecosystems import _is_folder
from policy_engine_plugins.repository.scripts import downloads
from repository_reading import load_file, load_project, of_type

NPM = '{"private": true, "dependencies": {"a": "^1.0.0"}}'


def watched(files: dict[str, str]) -> dict[str, Any]:
    return {each.value["ecosystem"]: each.value["watched"] for each in of_type(load_project(files), "ecosystem")}


@pytest.mark.parametrize(
    ("files", "ecosystems"),
    [
        ({"package.json": NPM}, ["npm"]),
        ({"package.json": NPM, "bun.lock": ""}, ["bun"]),
        ({"package.json": '{"name": "x"}'}, []),
        ({"requirements/dev.txt": "a"}, []),
        ({"requirements-dev.txt": "a"}, ["pip"]),
        ({"pyproject.toml": "[tool.black]\n"}, []),
        ({"pyproject.toml": "[project]\ndependencies = ['a']\n", "uv.lock": ""}, ["uv"]),
        ({"go.mod": "module x\n"}, []),
        ({"go.mod": "module x\nrequire a v1\n"}, ["gomod"]),
        ({"Dockerfile.dev": "", "build/api.Dockerfile": "", "Containerfile": ""}, ["docker"]),
        ({"docker-compose.override.yml": "", "compose.yaml": ""}, ["docker-compose"]),
        ({".github/workflows/a.yml": "", "action.yml": ""}, ["github-actions"]),
        ({"src/App.csproj": "<Project/>"}, ["nuget"]),
        ({"main.tf": "terraform {\n  required_providers {}\n}\n"}, ["terraform"]),
        ({"main.tf": 'resource "a" "b" {}\n'}, []),
        ({".gitmodules": ""}, ["gitsubmodule"]),
        ({".devcontainer/devcontainer.json": '{"features": {}}'}, ["devcontainers"]),
        ({"pom.xml": "<project><parent></parent></project>"}, ["maven"]),
        ({"vendor/x/package.json": NPM, "third_party/go.mod": "require a v1", "test/fixtures/Gemfile": ""}, []),
    ],
)
def test_ecosystems_are_known_by_their_files(files: dict[str, str], ecosystems: list[str]) -> None:
    assert sorted(watched(files)) == ecosystems


@pytest.mark.parametrize(
    ("pattern", "folder", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "a", True),
        ("*", "a", True),
        ("*", "a/b", False),
        ("packages/*", "packages/web", True),
        ("packages/*", "packages", False),
        ("**", "a/b", True),
        ("**/*", "a/b", True),
        ("**/*", "", True),
        ("a/**", "a/b/c", True),
        ("a/**", "b", False),
        ("a/**/c", "a/b/c", True),
        ("a/**/c", "a/c", True),
        ("a/**/c", "a/b", False),
    ],
)
def test_directories_name_folders(pattern: str, folder: str, expected: bool) -> None:
    assert _is_folder(pattern, folder) is expected


DEPENDABOT = "version: 2\nupdates:\n  - {{package-ecosystem: {}, directory: {}, schedule: {{interval: weekly}}}}\n"


@pytest.mark.parametrize(
    ("ecosystem", "folder", "files", "expected"),
    [
        ("npm", "/", {"package.json": NPM}, True),
        ("npm", "/web", {"package.json": NPM}, False),
        ("yarn", "/", {"package.json": NPM}, False),
        ("pip", "/", {"pyproject.toml": "[project]\ndependencies = ['a']\n", "uv.lock": ""}, True),
        ("docker", "/", {"Dockerfile": "", "api/Dockerfile": ""}, False),
        ("docker", "/", {"compose.yaml": ""}, True),
        ("github-actions", "/", {".github/workflows/a.yml": ""}, True),
        ("gitsubmodule", "/", {".gitmodules": ""}, True),
        ("cargo", "/", {"Cargo.toml": "[dependencies]", "crates/a/Cargo.toml": "[dependencies]"}, True),
        ("gomod", "/", {"go.mod": "require a v1", "tools/go.mod": "require a v1"}, False),
    ],
)
def test_dependabot_looks_after_what_it_is_asked_for(
    ecosystem: str, folder: str, files: dict[str, str], expected: bool
) -> None:
    found = watched({**files, ".github/dependabot.yml": DEPENDABOT.format(ecosystem, folder)})
    assert set(found.values()) == {expected}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{}", True),
        ('{"enabled": false}', False),
        ('{"enabledManagers": ["gomod"]}', False),
        ('{"enabledManagers": ["npm"]}', True),
        ('{"npm": {"enabled": false}}', False),
        ('{"ignorePaths": ["web/"]}', False),
        ('{"ignorePaths": ["**/web/**"]}', False),
        ('{"ignorePaths": ["api/"]}', True),
        ('{"extends": ["config:recommended", ":semanticCommits"]}', True),
        ('{"extends": ["local>acme/config"]}', None),
    ],
)
def test_renovate_looks_after_everything_unless_told_otherwise(settings: str, expected: bool | None) -> None:
    (answer,) = watched({"web/package.json": NPM, "renovate.json": settings}).values()
    assert (None if isinstance(answer, Unknown) else answer) is expected


@pytest.mark.parametrize(
    ("line", "name", "source", "fixed"),
    [
        ("flask==3.0.3", "flask", "index", True),
        ("flask===3.0.3", "flask", "index", True),
        ("flask == 3.0.3 ; python_version < '4'  # web", "flask", "index", True),
        ("Flask[async]==3.0.3", "Flask", "index", True),
        ("flask==3.*", "flask", "index", False),
        ("flask==3.0,<4", "flask", "index", False),
        ("flask", "flask", "index", False),
        ("flask~=3.0", "flask", "index", False),
        ("flask==3.0.3 --hash=sha256:aa", "flask", "index", True),
        ("git+https://github.com/a/b@main#egg=b", "b", "git", False),
        (f"git+https://github.com/a/b@{'a1' * 20}", "", "git", True),
        (f"-e git+ssh://git@github.com/a/b.git@{'a1' * 20}#egg=b", "b", "git", True),
        ("b @ git+https://github.com/a/b.git", "b", "git", False),
        ("https://example.com/b-1.2.whl", "", "url", True),
    ],
)
def test_requirements(line: str, name: str, source: str, fixed: bool) -> None:
    (found,) = of_type(load_file("requirements.txt", f"# x\n\n{line}\n"), "dependency")
    assert (found.value["source"], found.value["fixed"]) == (source, fixed)
    assert found.location.span.start_line == 3
    if name:
        assert found.name == name


@pytest.mark.parametrize("line", ["-r other.txt", "-e .", "./local", "--no-binary :all:", "../x[extra]", "# flask", ""])
def test_what_is_no_dependency(line: str) -> None:
    assert not of_type(load_file("requirements.txt", f"{line}\n"), "dependency")


def test_constraints_may_say_the_versions() -> None:
    assert not of_type(load_file("requirements.txt", "-c constraints.txt\nflask\n"), "dependency")


@pytest.mark.parametrize(
    ("wanted", "source", "fixed"),
    [
        ("^1.0.0", "index", True),
        ("*", "index", False),
        ("github:a/b", "git", False),
        ("a/b#v1.0.0", "git", False),
        (f"a/b#{'a1' * 20}", "git", True),
        (f"git+https://git@github.com/a/b.git#{'a1' * 20}", "git", True),
        ("https://example.com/a.tgz", "url", True),
        ("https://github.com/a/b.git", "git", False),
    ],
)
def test_dependencies_of_npm(wanted: str, source: str, fixed: bool) -> None:
    (found,) = of_type(load_file("package.json", f'{{"dependencies": {{"x": "{wanted}"}}}}'), "dependency")
    assert (found.value["source"], found.value["fixed"]) == (source, fixed)


@pytest.mark.parametrize("wanted", ["workspace:*", "file:../x", "link:../x", "npm:y@^1.0.0", "catalog:"])
def test_dependencies_of_npm_that_lie_elsewhere(wanted: str) -> None:
    assert not of_type(load_file("package.json", f'{{"dependencies": {{"x": "{wanted}"}}}}'), "dependency")


@pytest.mark.parametrize(
    "command",
    [
        "curl -fsSL https://x.io/a | bash",
        "wget -qO- https://x.io/a | sudo -E sh",
        "bash <(curl -s https://x.io/a)",
        'sh -c "$(curl -fsSL https://x.io/a)"',
        'eval "$(wget -qO- https://x.io/a)"',
        "curl https://x.io/a.py | python3 -",
        "iwr https://x.io/a.ps1 | iex",
        "wget http://x.io/a.bin",
    ],
)
def test_commands_that_run_what_they_fetch(command: str) -> None:
    assert list(downloads(command))


@pytest.mark.parametrize(
    "command",
    ["npm ci", "curl -fsSLo a.tgz https://x.io/a.tgz", "wget http://localhost:8080/a", "curl x | jq .", "husky"],
)
def test_commands_that_do_not(command: str) -> None:
    assert not list(downloads(command))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("requirements.txt", "a\\\n" * 100_000),
        ("requirements.txt", "--extra-index-url " * 20_000),
        ("requirements.txt", "git+" + "@" * 100_000),
        (".npmrc", "a=" * 200_000),
        (".npmrc", "\n".join(f"@s{n}:registry=http://x{n}" for n in range(100_000))),
        ("package.json", '{"scripts": {"install": "' + "curl " * 50_000 + '"}}'),
        ("package.json", '{"dependencies": {"x": "' + "a/" * 100_000 + '"}}'),
        ("build.gradle", "maven { url " * 50_000),
        ("build.gradle", "implementation '" + "a" * 300_000),
        ("Gemfile", "gem 'a', " + "git: " * 100_000),
        ("package-lock.json", '"resolved": "http://x/' + "a" * 1_000_000),
        ("yarn.lock", "# yarn lockfile v1\n" + "a:\n  resolved http://x\n\n" * 50_000),
        (".gitmodules", '[submodule "' + "\\" * 200_000),
        (".gitmodules", '[submodule "a"]\nurl = x\n' * 50_000),
        ("CODEOWNERS", "\\ " * 200_000),
        (".env", "A_SECRET=" + "x." * 200_000),
        (".env", "A_SECRET=change" * 30_000),
        ("pom.xml", "<a>" * 100_000),
        ("renovate.json5", "{a:" * 100_000),
        (".github/dependabot.yml", "updates: [" * 50_000),
        (".pre-commit-config.yaml", "repos: [{repo: a, rev: " + "1" * 500_000 + "}]"),
        ("pyproject.toml", "a = [\n" * 50_000),
        ("pyproject.toml", "".join(f"[a{n}]\nb = 1\n" for n in range(30_000))),
    ],
)
def test_hostile_files_end_and_raise_nothing(path: str, content: str) -> None:
    started = time.perf_counter()
    load_file(path, content)
    assert time.perf_counter() - started < 15
