"""Templates and expressions are worked into a pipeline as Azure Pipelines works them in."""

from __future__ import annotations

import pytest

from azure_reading import FORMAT, load, resources, scripts, units
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown

STEPS = """
parameters:
  - {name: name, type: string}
  - {name: sign, type: boolean, default: false}
  - {name: more, type: stepList, default: []}
steps:
  - script: build ${{ parameters.name }}
  - ${{ if eq(parameters.sign, true) }}:
      - script: sign ${{ parameters.name }}
  - ${{ else }}:
      - script: skip
  - ${{ parameters.more }}
"""


def test_a_template_of_steps_takes_the_values_of_its_call() -> None:
    files = {
        "azure-pipelines.yml": """
steps:
  - template: ci/steps.yml
    parameters: {name: web, sign: true, more: [{script: extra}, {script: last}]}
  - template: /ci/steps.yml@self
    parameters: {name: api}
""",
        "ci/steps.yml": STEPS,
    }
    assert scripts(files) == ["build web", "sign web", "extra", "last", "build api", "skip"]


def test_templates_lie_where_the_file_that_uses_them_lies() -> None:
    files = {
        "azure-pipelines.yml": "jobs:\n- template: ci/jobs.yml\n",
        "ci/jobs.yml": "jobs:\n- job: a\n  steps:\n  - template: inner/steps.yml\n",
        "ci/inner/steps.yml": "steps:\n- script: deep\n- template: ../other.yml\n",
        "ci/other.yml": "steps:\n- script: up\n",
    }
    assert scripts(files) == ["deep", "up"]
    assert [unit.paths for unit in units(files)] == [tuple(sorted(files))]


def test_a_template_of_stages_and_jobs_with_loops() -> None:
    files = {
        "azure-pipelines.yml": """
parameters:
  - name: regions
    type: object
    default: [eu, us]
stages:
  - ${{ each region in parameters.regions }}:
      - template: stage.yml
        parameters: {region: "${{ region }}"}
""",
        "stage.yml": """
parameters: {region: none}
stages:
  - stage: deploy_${{ parameters.region }}
    jobs:
      - deployment: web
        environment: web-${{ parameters.region }}
        strategy: {runOnce: {deploy: {steps: [{script: "deploy ${{ parameters.region }}"}]}}}
""",
    }
    found = resources(files)
    assert [name for name, each in found.items() if each.type == "job"] == ["jobs/deploy_eu/web", "jobs/deploy_us/web"]
    assert found["jobs/deploy_us/web"].value["environment"] == {"name": "web-us"}
    assert scripts(files) == ["deploy eu", "deploy us"]


def test_a_pipeline_that_extends_a_template() -> None:
    files = {
        "azure-pipelines.yml": """
trigger: [main]
extends:
  template: base.yml
  parameters: {steps: [{script: mine}]}
""",
        "base.yml": """
parameters:
  - {name: steps, type: stepList}
pool: {vmImage: ubuntu-24.04}
jobs:
  - job: main
    steps:
      - script: before
      - ${{ each step in parameters.steps }}:
          - ${{ step }}
""",
    }
    assert scripts(files) == ["before", "mine"]


def test_variables_of_templates_and_branches_are_known_below() -> None:
    files = {
        "azure-pipelines.yml": """
parameters:
  - {name: env, type: string, default: dev}
variables:
  - template: vars.yml
  - group: shared
  - {name: image, value: "node:$(major)"}
  - ${{ if eq(parameters.env, 'prod') }}:
      - {name: level, value: high}
jobs:
  - job: a
    variables: {major: "22"}
    container: $(image)
    steps: [{script: "${{ variables.base }} ${{ variables.level }}"}]
""",
        "vars.yml": "variables:\n  major: '20'\n  base: b\n",
    }
    found = resources(files)
    pipeline = found["azure-pipelines.yml"].value
    assert pipeline["variables"] == {"major": "20", "base": "b", "image": "node:$(major)", "level": "high"}
    assert pipeline["groups"] == ["shared"]
    assert found["jobs/a/container"].value["image"]["tag"] == "22"
    (script,) = scripts(files)
    assert isinstance(script, Unknown)
    assert script.fragments == ("b ", None)


def test_what_the_person_who_runs_it_chooses_decides_no_branch() -> None:
    text = """
parameters:
  - {name: deploy, type: boolean, default: false}
steps:
  - ${{ if parameters.deploy }}: [{script: deploy}]
  - ${{ else }}: [{script: dry}]
  - ${{ if eq(1, 2) }}: [{script: never}]
  - ${{ elseif eq(1, 1) }}: [{script: taken}]
  - ${{ else }}: [{script: never}]
"""
    assert scripts(text) == ["deploy", "dry", "taken"]


def test_keys_under_a_branch_that_is_not_known_are_unknown() -> None:
    text = """
parameters:
  - {name: os, type: string, default: linux}
jobs:
  - job: a
    pool:
      ${{ if eq(parameters.os, 'linux') }}:
        vmImage: ubuntu-24.04
      ${{ else }}:
        vmImage: windows-2025
    steps: [{script: x}]
  - job: b
    ${{ if eq(1, 1) }}:
      pool: {vmImage: macos-15}
    steps: [{script: y}]
"""
    found = resources(text)
    assert isinstance(found["jobs/a"].value["vm_image"], Unknown)
    assert found["jobs/b"].value["vm_image"] == "macos-15"


def test_inserted_mappings_are_part_of_the_whole() -> None:
    files = {
        "azure-pipelines.yml": """
steps:
  - template: t.yml
    parameters: {env: {A: "1", B: "2"}}
""",
        "t.yml": """
parameters: {env: {}}
steps:
  - script: x
    env:
      ${{ insert }}: ${{ parameters.env }}
      C: "3"
      ${{ each pair in parameters.env }}:
        X_${{ pair.key }}: ${{ pair.value }}
""",
    }
    (step,) = [each for each in resources(files).values() if each.type == "step"]
    assert step.value["env"] == {"A": "1", "B": "2", "C": "3", "X_A": "1", "X_B": "2"}


@pytest.mark.parametrize(
    ("step", "script", "shell"),
    [
        ("script: a", "a", "sh"),
        ("bash: a", "a", "bash"),
        ("pwsh: a", "a", "pwsh"),
        ("powershell: a", "a", "powershell"),
        ("{task: Bash@3, inputs: {targetType: inline, script: a}}", "a", "bash"),
        ("{task: Bash@3, inputs: {filePath: a.sh}}", None, None),
        ("{task: CmdLine@2, inputs: {script: a}}", "a", "sh"),
        ("{task: PowerShell@2, inputs: {TargetType: Inline, Script: a}}", "a", "powershell"),
        (
            "{task: AzureCLI@2, inputs: {scriptType: bash, scriptLocation: inlineScript, inlineScript: a}}",
            "a",
            "bash",
        ),
        (
            "{task: AzureCLI@2, inputs: {scriptType: pscore, scriptLocation: inlineScript, inlineScript: a}}",
            "a",
            "pwsh",
        ),
        ("{task: AzurePowerShell@5, inputs: {ScriptType: InlineScript, Inline: a}}", "a", "powershell"),
    ],
)
def test_the_script_of_a_step_is_found_whatever_runs_it(step: str, script: str | None, shell: str | None) -> None:
    (found,) = [each for each in resources(f"steps:\n- {step}\n").values() if each.type == "step"]
    assert found.value.get("script") == script
    assert found.value.get("shell") == shell


def test_uses_tell_where_a_text_comes_from() -> None:
    text = """
variables:
  branch: $(Build.SourceBranchName)
  runtime: $[ variables['Build.SourceVersionMessage'] ]
parameters:
  - {name: free, type: string, default: a}
  - {name: bound, type: string, default: a, values: [a, b]}
steps:
  - script: x $(branch) $(runtime) ${{ parameters.free }} ${{ parameters.bound }} $(dbPassword) $(plain)
    env: {TOKEN: $(System.AccessToken)}
"""
    (step,) = [each for each in resources(text).values() if each.type == "step"]
    found = {use["name"]: use for use in step.value["uses"]}
    assert found["branch"]["flows"] == ["build.sourcebranchname"]
    assert found["runtime"]["flows"] == ["build.sourceversionmessage"]
    assert (found["free"]["kind"], found["free"]["bounded"]) == ("parameter", False)
    assert found["bound"]["bounded"] is True
    assert found["dbPassword"]["secret"] is True
    assert found["plain"]["secret"] is False
    assert (found["System.AccessToken"]["path"], found["System.AccessToken"]["secret"]) == ("env.TOKEN", True)


@pytest.mark.parametrize(
    ("pool", "self_hosted"),
    [
        ("", False),
        ("pool: {vmImage: ubuntu-24.04}", False),
        ("pool: own", True),
        ("pool: {name: own, demands: [x]}", True),
        ("pool: {name: Azure Pipelines, vmImage: x}", False),
        ("pool: server", False),
    ],
)
def test_pools_are_taken_over_and_told_apart(pool: str, self_hosted: bool) -> None:
    text = f"{pool}\nstages:\n- stage: s\n  jobs:\n  - job: j\n    steps: [{{script: x}}]\n"
    assert resources(text)["jobs/s/j"].value["self_hosted"] is self_hosted


@pytest.mark.parametrize(
    ("text", "pull_request"), [("pr: none", False), ("pr: [main]", True), ("pr: {branches: {include: [a]}}", True)]
)
def test_pull_requests_start_a_pipeline_that_says_so(text: str, pull_request: bool) -> None:
    found = resources(f"{text}\nsteps: [{{script: x}}]\n")
    assert found["azure-pipelines.yml"].value["triggers"]["pull_request"] is pull_request


def test_templates_elsewhere_are_told_and_the_rest_is_judged() -> None:
    text = """
resources:
  repositories:
    - {repository: shared, type: git, name: a/b, ref: refs/tags/v1}
    - {repository: code, type: git, name: a/c}
steps:
  - template: x.yml@shared
  - template: missing.yml
  - script: x
"""
    loaded = load(text)
    assert [problem.kind for problem in loaded.problems] == [ProblemKind.LIMITED] * 2
    found = resources(text, problems=2)
    assert (found["repositories/shared"].value["pin"], found["repositories/shared"].value["templates"]) == ("tag", True)
    assert (found["repositories/code"].value["pin"], found["repositories/code"].value["templates"]) == ("none", False)
    assert scripts(text, problems=2) == ["x"]


@pytest.mark.parametrize(
    ("path", "text", "recognised"),
    [
        ("azure-pipelines.yml", "", True),
        ("build/azure-pipelines-release.yaml", "x", True),
        ("ci/steps.yml", "parameters:\n  a: b\nsteps:\n- script: x\n", True),
        ("ci/jobs.yml", "jobs:\n  - job: a\n", True),
        ("ci/stages.yml", "stages:\n- ${{ each a in b }}:\n  - stage: a\nparameters: []\n", True),
        ("ci/extends.yml", "trigger: none\nextends:\n  template: a.yml\n", True),
        (".gitlab-ci.yml", "stages:\n- build\njob:\n  script: [x]\n", False),
        ("ci.yml", "jobs:\n  build:\n    steps:\n    - run: x\n", False),
        ("cloudbuild.yaml", "steps:\n- name: gcr.io/x\n", False),
        ("buildkite.yml", "steps:\n  - command: x\n", False),
        ("compose.yml", "services:\n  a:\n    extends:\n      file: x\n", False),
        ("task.yaml", "apiVersion: tekton.dev/v1\nsteps:\n- script: x\n", False),
    ],
)
def test_files_are_recognised_by_name_or_by_what_is_in_them(path: str, text: str, recognised: bool) -> None:
    assert FORMAT.recognises(path, text.encode()) is recognised
