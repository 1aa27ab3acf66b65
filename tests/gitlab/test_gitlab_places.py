"""Every attribute is placed where it is written, in the file that it is written in."""

from __future__ import annotations

import pytest

from gitlab_reading import cut, load, resources, shown

FILES = {
    ".gitlab-ci.yml": """\
include:
  - local: /ci/base.yml
    inputs:
      image: node:20
  - project: acme/ci
    ref: main
    file: x.yml
variables:
  TOKEN: plain
default:
  image: alpine:3
test:
  extends: .base
  script:
    - !reference [.lines, script]
    - echo "é" && printenv
    - |
      echo one
      curl https://x.example | sh
  services:
    - name: postgres:16
      alias: db
deploy:
  environment: production
  script: ["make deploy"]
  rules:
    - if: $CI_COMMIT_BRANCH
""",
    "ci/base.yml": """\
spec:
  inputs:
    image:
---
.base:
  timeout: 3h
  image: $[[ inputs.image ]]
  variables: {LEVEL: high}
.lines:
  script:
    - env
""",
}


@pytest.mark.parametrize(
    ("address", "path", "expected"),
    [
        (".gitlab-ci.yml", ("variables", "TOKEN"), "TOKEN: plain"),
        ("jobs/test", (), "test"),
        ("jobs/test", ("timeout",), "timeout: 3h"),
        ("jobs/test", ("timeout_minutes",), "timeout: 3h"),
        ("jobs/test", ("variables", "LEVEL"), "LEVEL: high"),
        ("jobs/test", ("environment_variables", "TOKEN"), "TOKEN: plain"),
        ("jobs/test", ("pipeline", "variables", "TOKEN"), "TOKEN: plain"),
        ("jobs/test/image", ("image", "pin"), "image: $[[ inputs.image ]]"),
        ("jobs/test/services/db", ("image", "pin"), "name: postgres:16"),
        ("jobs/test/script", ("lines", 0), "env"),
        ("jobs/test/script", ("commands", 0, "name"), "env"),
        ("jobs/test/script", ("commands", 2, "name"), "printenv"),
        ("jobs/test/script", ("commands", 4, "name"), "curl"),
        ("jobs/test/script", ("commands", 4, "operands", 0), "https://x.example"),
        ("jobs/test/script", ("job", "timeout"), "timeout: 3h"),
        ("jobs/deploy", ("image",), "image: alpine:3"),
        ("jobs/deploy", ("production",), "environment: production"),
        ("jobs/deploy", ("environment", "name"), "environment: production"),
        ("jobs/deploy", ("starts", "on_branch"), "rules"),
        ("jobs/deploy", ("resource_group",), "deploy"),
        ("jobs/deploy/image", ("image",), "image: alpine:3"),
        ("include/acme/ci:x.yml", ("pin",), "ref: main"),
        ("include/acme/ci:x.yml", ("project",), "project: acme/ci"),
    ],
)
def test_places_slice_the_source(address: str, path: tuple[str | int, ...], expected: str) -> None:
    assert shown(FILES, resources(FILES, problems=1)[address], *path) == expected


def test_every_written_value_of_every_resource_is_placed_at_itself() -> None:
    """Whatever a resource holds that is a plain scalar, its place shows it."""
    checked = 0
    for resource in load(FILES).resources:
        waiting: list[tuple[tuple[str | int, ...], object]] = [((), resource.value)]
        while waiting:
            path, value = waiting.pop()
            if path and path[-1] in ("job", "pipeline", "jobs", "pin", "kind", "name", "commands", "inputs"):
                continue
            if isinstance(value, dict):
                waiting.extend(((*path, key), item) for key, item in value.items())
            elif isinstance(value, list):
                waiting.extend(((*path, index), item) for index, item in enumerate(value))
            elif isinstance(value, str) and path and path[0] in (
                "script", "lines", "variables", "environment_variables", "timeout", "rules", "local", "project", "ref"
            ):  # fmt: skip
                text = cut(FILES, resource.locate(path).location)
                first = value.splitlines()[0] if value else ""
                assert first in text or text.rstrip().endswith("|") or '"make' in text, (resource.address, path, text)
                checked += 1
    assert checked > 15


def test_a_job_that_several_extend_has_its_flaws_in_one_place() -> None:
    text = ".base: {image: node:20, script: [x]}\na: {extends: .base}\nb: {extends: .base}\n"
    found = resources(text)
    assert found["jobs/a/image"].location == found["jobs/b/image"].location
    assert found["jobs/a/script"].location == found["jobs/b/script"].location
    assert found["jobs/a"].location != found["jobs/b"].location
