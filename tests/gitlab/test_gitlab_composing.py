"""A pipeline is put together as GitLab puts it together; the cases follow the worked examples of its documentation."""

from __future__ import annotations

from typing import Any

import pytest

from gitlab_reading import jobs, load, resources, units
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown

CASES: list[tuple[str, dict[str, str], str, dict[str, Any]]] = [
    (
        "extends merges mappings and replaces lists",
        {
            ".gitlab-ci.yml": """
.tests:
  stage: test
  image: ruby:3.0
  variables: {URL: "http://my-url.internal", IMPORTANT_VAR: the details}
  script: [echo base, echo more]
  only: {refs: [branches]}
rspec:
  extends: .tests
  variables: {GITLAB: is-awesome, IMPORTANT_VAR: other}
  script: rake rspec
  only: {variables: [$RSPEC]}
"""
        },
        "rspec",
        {
            "image": "ruby:3.0",
            "script": ["rake rspec"],
            "variables": {"URL": "http://my-url.internal", "IMPORTANT_VAR": "other", "GITLAB": "is-awesome"},
            "only": {"refs": ["branches"], "variables": ["$RSPEC"]},
        },
    ),
    (
        "of several bases the later one wins, over several levels",
        {
            ".gitlab-ci.yml": """
.a: {image: a, variables: {X: a, Y: a, Z: a}, script: [a]}
.b: {extends: .a, variables: {Y: b}}
.c: {variables: {Z: c}, image: c}
job: {extends: [.b, .c]}
"""
        },
        "job",
        {"image": "c", "variables": {"X": "a", "Y": "b", "Z": "c"}, "script": ["a"]},
    ),
    (
        "references are put in place and lists of lines are flat",
        {
            ".gitlab-ci.yml": """
.setup: {script: [echo one, echo two], variables: {URL: u}}
.teardown: {after_script: [echo bye]}
.nested: {script: [!reference [.setup, script], echo three]}
.lines: &lines [echo a, [echo b]]
job:
  variables: {HERE: !reference [.setup, variables, URL]}
  script:
    - !reference [.nested, script]
    - *lines
    - echo end
  after_script: !reference [.teardown, after_script]
"""
        },
        "job",
        {
            "script": ["echo one", "echo two", "echo three", "echo a", "echo b", "echo end"],
            "after_script": ["echo bye"],
            "variables": {"HERE": "u"},
        },
    ),
    (
        "references see what extends brings",
        {
            ".gitlab-ci.yml": """
.base: {script: [from base], rules: [{if: $A}]}
.mid: {extends: .base}
job: {script: [!reference [.mid, script]], rules: [!reference [.mid, rules], {when: never}]}
"""
        },
        "job",
        {"script": ["from base"], "rules": [{"if": "$A"}, {"when": "never"}]},
    ),
    (
        "what the file says wins over what it includes, and a later include over an earlier one",
        {
            ".gitlab-ci.yml": """
include: [/one.yml, {local: two.yml}]
variables: {C: main}
job: {variables: {Z: main}}
""",
            "one.yml": """
variables: {A: one, B: one, C: one}
job: {script: [one], image: one, variables: {X: '1', Z: '1'}}
""",
            "two.yml": "variables: {B: two, C: two}\njob: {script: [two], variables: {Y: '2', Z: '2'}}",
        },
        "job",
        {
            "script": ["two"],
            "image": "one",
            "variables": {"X": "1", "Y": "2", "Z": "main"},
            "environment_variables": {"A": "one", "B": "two", "C": "main", "X": "1", "Y": "2", "Z": "main"},
        },
    ),
    (
        "inputs fill texts, keys, numbers and lists",
        {
            ".gitlab-ci.yml": """
include:
  - local: /t.yml
    inputs: {prefix: app, tags: [linux, big], many: 3}
""",
            "t.yml": """
spec:
  inputs:
    prefix: {}
    tags: {type: array}
    many: {type: number}
    image: {default: "alpine:3"}
---
"$[[ inputs.prefix ]]-test":
  image: "$[[ inputs.image ]]"
  tags: $[[ inputs.tags ]]
  parallel: $[[ inputs.many ]]
  script: echo $[[ inputs.prefix | truncate(0,2) ]]
""",
        },
        "app-test",
        {"image": "alpine:3", "tags": ["linux", "big"], "parallel": 3, "script": ["echo ap"]},
    ),
    (
        "defaults and global keywords are taken over where the job says nothing",
        {
            ".gitlab-ci.yml": """
default: {image: d, tags: [a], timeout: 2h, before_script: [default]}
after_script: [global]
job: {script: [x], timeout: 30 minutes}
"""
        },
        "job",
        {
            "image": "d",
            "tags": ["a"],
            "timeout_minutes": 30,
            "before_script": ["default"],
            "after_script": ["global"],
        },
    ),
    (
        "inherit says what is taken over",
        {
            ".gitlab-ci.yml": """
default: {image: d, tags: [a], before_script: [default]}
variables: {A: "1", B: "2"}
job: {script: [x], inherit: {default: [tags], variables: [B]}}
"""
        },
        "job",
        {"tags": ["a"], "environment_variables": {"B": "2"}, "before_script": None, "image": None},
    ),
    (
        "anchors and merge keys work as in any YAML",
        {
            ".gitlab-ci.yml": """
.base: &base {image: b, variables: &v {A: "1"}}
job: {<<: *base, script: [x], variables: {<<: *v, B: "2"}}
"""
        },
        "job",
        {"image": "b", "variables": {"A": "1", "B": "2"}},
    ),
    (
        "a wildcard takes all files below a folder",
        {
            ".gitlab-ci.yml": "include: 'ci/**/*.yml'\n",
            "ci/a.yml": "one: {script: [a], stage: test}",
            "ci/deep/er/b.yml": "job: {script: [b], stage: test}",
        },
        "job",
        {"script": ["b"]},
    ),
    (
        "a component of the project itself is read from its folder",
        {
            ".gitlab-ci.yml": """
include:
  - component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/scan@$CI_COMMIT_SHA
    inputs: {level: high}
""",
            "templates/scan.yml": "spec: {inputs: {level: {}}}\n---\njob: {script: 'scan $[[ inputs.level ]]'}",
        },
        "job",
        {"script": ["scan high"]},
    ),
]


@pytest.mark.parametrize(("files", "job", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_job_is_what_gitlab_makes_of_it(files: dict[str, str], job: str, expected: dict[str, Any]) -> None:
    found = jobs(files)[job]
    assert {key: found.get(key) for key in expected} == expected


def test_hidden_jobs_and_keywords_are_no_jobs() -> None:
    found = jobs("stages: [a]\n.hidden: {script: [x]}\nworkflow: {name: n}\njob: {script: [x]}\npages: {script: [y]}\n")
    assert sorted(found) == ["job", "pages"]


def test_variables_are_filled_into_images_and_the_rest_is_unknown() -> None:
    found = resources(
        """
variables: {TAG: "3.12", NAME: "python:$TAG"}
a: {image: $NAME, script: [x]}
b: {image: "$CI_REGISTRY_IMAGE/app:${TAG}", script: [x]}
c: {image: "app@sha256:0f", services: [{name: "postgres:$TAG", alias: db}], script: [x]}
d: {image: "$UNSET", script: [x]}
""",
        problems=0,
    )
    assert found["jobs/a/image"].value["image"]["tag"] == "3.12"
    unknown = found["jobs/b/image"].value["image"]
    assert isinstance(unknown, Unknown)
    assert unknown.fragments == (None, "/app:3.12")
    assert found["jobs/c/image"].value["image"]["pin"] == "digest"
    assert found["jobs/c/services/db"].value["image"]["tag"] == "3.12"
    assert "not set in the pipeline's files" in found["jobs/d/image"].value["image"].reason


def test_a_matrix_gives_an_image_for_each_of_its_values() -> None:
    found = resources(
        """
job:
  image: "python:$VERSION"
  script: [x]
  parallel: {matrix: [{VERSION: ["3.11", "3.12"], OS: [a, b]}]}
"""
    )
    assert [each.value["image"]["tag"] for each in found.values() if each.type == "image"] == ["3.11", "3.12"]


def test_the_author_of_a_merge_request_is_named_as_the_source_of_what_is_not_known() -> None:
    found = resources("job: {image: 'app:$CI_COMMIT_REF_NAME', script: [x]}")
    assert "written by the author of a merge request" in found["jobs/job/image"].value["image"].reason


def test_what_is_defined_elsewhere_is_unknown_and_told() -> None:
    text = """
include:
  - {project: acme/ci, ref: v1.2.3, file: [a.yml, b.yml]}
  - template: Jobs/SAST.gitlab-ci.yml
job: {extends: .from-there, image: mine}
sast: {variables: {A: b}}
own: {script: [x]}
"""
    found = jobs(text, problems=2)
    assert found["job"]["image"] == "mine"
    assert isinstance(found["job"].get("timeout"), Unknown)
    assert isinstance(found["sast"].get("script"), Unknown)
    assert isinstance(found["own"]["timeout"], Unknown)
    assert [problem.kind for problem in load(text).problems] == [ProblemKind.LIMITED] * 2


def test_templates_and_components_leave_the_defaults_of_own_jobs_alone() -> None:
    found = jobs("include: [{template: X.yml}, {component: a.b/c/d@1.0.0}]\njob: {script: [x]}\n", problems=2)
    assert found["job"].get("timeout") is None


@pytest.mark.parametrize(
    ("include", "kind", "pin"),
    [
        ("{local: /a.yml}", "local", "local"),
        ("{project: a/b, file: x.yml}", "project", "none"),
        ("{project: a/b, ref: main, file: x.yml}", "project", "ref"),
        ("{project: a/b, ref: v1.2, file: x.yml}", "project", "version"),
        ("{project: a/b, ref: 11bd71901bbe5b1630ceea73d27597364c9af683, file: x.yml}", "project", "commit"),
        ("'https://example.org/x.yml'", "remote", "none"),
        ("{remote: 'https://example.org/x.yml', integrity: sha256-abc}", "remote", "digest"),
        ("{template: X.yml}", "template", "instance"),
        ("{component: gitlab.com/a/b@1.2.3}", "component", "release"),
        ("{component: gitlab.com/a/b@~latest}", "component", "ref"),
        ("{component: gitlab.com/a/b@11bd71901bbe5b1630ceea73d27597364c9af683}", "component", "commit"),
    ],
)
def test_includes_say_what_they_name_and_how_firmly(include: str, kind: str, pin: str) -> None:
    loaded = load(f"include: {include}\njob: {{script: [x]}}\n")
    (found,) = [each for each in loaded.resources if each.type == "include"]
    assert (found.value["kind"], found.value["pin"]) == (kind, pin)


def test_child_pipelines_are_units_of_their_own() -> None:
    files = {
        ".gitlab-ci.yml": "job: {trigger: {include: child.gitlab-ci.yml}}\ninclude: shared.yml\n",
        "child.gitlab-ci.yml": "inner: {script: [x]}\n",
        "shared.yml": "lint: {script: [x], stage: test}\n",
    }
    assert [(unit.name, unit.paths) for unit in units(files)] == [
        (".gitlab-ci.yml", (".gitlab-ci.yml", "shared.yml")),
        ("child.gitlab-ci.yml", ("child.gitlab-ci.yml",)),
    ]
    found = resources(files)
    assert found["include/child.gitlab-ci.yml"].value["child"] is True


@pytest.mark.parametrize(
    ("path", "text", "recognised"),
    [
        (".gitlab-ci.yml", "", True),
        ("deploy.gitlab-ci.yml", "x", True),
        (".gitlab/ci/build.yml", "x", True),
        ("ci/build.yml", "build:\n  stage: a\n  script:\n    - x\n", True),
        ("ci/hidden.yml", ".x:\n  extends: .y\n  rules: []\n", True),
        ("bitbucket-pipelines.yml", "a:\n  stage: x\n  script: [x]\n", False),
        (".travis.yml", "language: c\nscript: [x]\njobs:\n  script: [x]\n  stage: y\n", False),
        ("k8s.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  script: x\n  stage: y\n", False),
        ("azure.yml", "jobs:\n- job: a\n  steps:\n  - script: x\n", False),
        ("play.yml", "- hosts: all\n  tasks:\n    - script: x\n", False),
        ("config.yml", "a:\n  script: x\n", False),
    ],
)
def test_files_are_recognised_by_name_or_by_what_is_in_them(path: str, text: str, recognised: bool) -> None:
    from gitlab_reading import FORMAT

    assert FORMAT.recognises(path, text.encode()) is recognised
