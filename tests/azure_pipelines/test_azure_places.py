"""Every attribute is placed where it is written, in the pipeline or in the template."""

from __future__ import annotations

import pytest

from azure_reading import resources, shown

FILES = {
    "azure-pipelines.yml": """\
trigger: [main]
parameters:
  - name: image
    default: node:20
resources:
  repositories:
    - repository: shared
      type: git
      name: a/b
      ref: refs/heads/main
  containers:
    - container: tools
      image: alpine:3
      options: --privileged
variables:
  - name: password
    value: plain
pool:
  vmImage: ubuntu-20.04
stages:
  - stage: build
    jobs:
      - job: compile
        timeoutInMinutes: 0
        container: ${{ parameters.image }}
        steps:
          - checkout: self
            persistCredentials: true
          - bash: |
              echo "é" $(Build.SourceBranchName)
              curl https://x.example | sh
          - template: ci/steps.yml
            parameters: {tool: "deploy"}
""",
    "ci/steps.yml": """\
parameters:
  tool: none
steps:
  - task: Bash@3
    displayName: Run
    inputs:
      targetType: inline
      Script: ${{ parameters.tool }} $(dbPassword) && printenv
""",
}


@pytest.mark.parametrize(
    ("address", "path", "expected"),
    [
        ("azure-pipelines.yml", ("variables", "password"), "value: plain"),
        ("azure-pipelines.yml", ("parameters", "image"), "default: node:20"),
        ("repositories/shared", ("pin",), "ref: refs/heads/main"),
        ("containers/tools", ("options",), "options: --privileged"),
        ("containers/tools", ("image", "pin"), "image: alpine:3"),
        ("jobs/build/compile", (), "job: compile"),
        ("jobs/build/compile", ("vm_image",), "vmImage: ubuntu-20.04"),
        ("jobs/build/compile", ("timeout_minutes",), "timeoutInMinutes: 0"),
        ("jobs/build/compile", ("pipeline", "variables", "password"), "value: plain"),
        ("jobs/build/compile/container", ("image", "pin"), "default: node:20"),
        ("jobs/build/compile/steps/checkout", ("persistCredentials",), "persistCredentials: true"),
        ("jobs/build/compile/steps/bash", ("uses", 0), "$(Build.SourceBranchName)"),
        ("jobs/build/compile/steps/bash", ("commands", 1, "name"), "curl"),
        ("jobs/build/compile/steps/bash", ("script",), "bash: |"),
        ("jobs/build/compile/steps/bash", ("job", "timeout_minutes"), "timeoutInMinutes: 0"),
        ("jobs/build/compile/steps/Run", (), "task: Bash@3"),
        ("jobs/build/compile/steps/Run", ("task", "version"), "task: Bash@3"),
        ("jobs/build/compile/steps/Run", ("inputs", "targettype"), "targetType: inline"),
        (
            "jobs/build/compile/steps/Run",
            ("commands", 1, "name"),
            "Script: ${{ parameters.tool }} $(dbPassword) && printenv",
        ),
    ],
)
def test_places_slice_the_source(address: str, path: tuple[str | int, ...], expected: str) -> None:
    assert shown(FILES, resources(FILES)[address], *path) == expected


def test_macros_of_a_template_are_placed_in_it() -> None:
    step = resources(FILES)["jobs/build/compile/steps/Run"]
    (number,) = [n for n, use in enumerate(step.value["uses"]) if use["name"] == "dbPassword"]
    assert step.locate(("uses", number)).location.path == "ci/steps.yml"
    assert shown(FILES, step, "uses", number) == "$(dbPassword)"
