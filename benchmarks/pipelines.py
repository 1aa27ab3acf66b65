"""Measures pipelines: 200 generated projects each of GitLab CI and Azure Pipelines, against Checkov where it is given.

python benchmarks/pipelines.py --checkov PATH/TO/bin/checkov

Checkov knows a pipeline by the end of its file's name alone, so included files and templates are named so that it reads
them too: both sides read the same bytes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from run import compare, scan_command, seconds

PROJECTS = 200

GITLAB = {
    ".gitlab-ci.yml": """\
# service-{n}: built, tested, scanned and deployed
include:
  - local: /{here}/ci/rules.gitlab-ci.yml
  - local: /{here}/ci/deploy.gitlab-ci.yml
  - template: Jobs/Secret-Detection.gitlab-ci.yml
  - project: platform/pipelines
    ref: v4.{m}.0
    file: /templates/notify.yml

stages: [build, test, scan, release, deploy]

workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH
    - if: $CI_COMMIT_TAG

variables:
  SERVICE: service-{n}
  PYTHON_IMAGE: python:3.12-slim
  PIP_CACHE_DIR: $CI_PROJECT_DIR/.cache/pip
  REPLICAS:
    value: "{m}"
    description: How many copies run

default:
  image: $PYTHON_IMAGE
  interruptible: true
  timeout: 30 minutes
  retry: {{max: 1, when: [runner_system_failure, stuck_or_timeout_failure]}}
  before_script:
    - python -m venv .venv
    - . .venv/bin/activate
    - pip install --quiet --requirement requirements.txt

.pip-cache: &pip-cache
  key: {{files: [requirements.txt], prefix: $SERVICE}}
  paths: [.cache/pip]
  policy: pull

.test:
  stage: test
  cache:
    <<: *pip-cache
  variables: &test-variables
    COVERAGE_FILE: .coverage.$CI_JOB_ID
    PYTHONDONTWRITEBYTECODE: "1"
  artifacts:
    when: always
    expire_in: 1 week
    reports:
      junit: report.xml

build:
  stage: build
  cache:
    <<: *pip-cache
    policy: pull-push
  script:
    - pip install build
    - python -m build --outdir dist
    - |
      if [ -n "$CI_COMMIT_TAG" ]; then
        echo "release $CI_COMMIT_TAG of $SERVICE" > dist/NOTES
      fi
  artifacts:
    paths: [dist/]
    expire_in: 2 days

unit:
  extends: .test
  needs: [build]
  parallel:
    matrix:
      - PYTHON: ["3.10", "3.11", "3.12"]
        DATABASE: [postgres, mariadb]
  image: python:$PYTHON-slim
  script:
    - pip install dist/*.whl
    - pytest --junitxml=report.xml --cov=service_{n} tests/unit
  coverage: '/TOTAL.*? (100(?:\\.0+)?%|[1-9]?\\d(?:\\.\\d+)?%)$/'

integration:
  extends: .test
  rules:
    - !reference [.rules, changes]
  services:
    - name: postgres:16.4
      alias: db
    - redis:7.4
  variables:
    <<: *test-variables
    POSTGRES_DB: service_{n}
    POSTGRES_HOST_AUTH_METHOD: trust
    DATABASE_URL: postgres://postgres@db/service_{n}
  script:
    - !reference [.wait, script]
    - pytest --junitxml=report.xml tests/integration

lint:
  extends: .test
  allow_failure: true
  script:
    - pip install ruff==0.7.{m}
    - ruff check --output-format gitlab > ruff.json
  artifacts:
    reports: {{codequality: ruff.json}}

container-scan:
  stage: scan
  image:
    name: aquasec/trivy:0.57.0
    entrypoint: [""]
  before_script: []
  script:
    - trivy fs --exit-code 1 --severity HIGH,CRITICAL .
  allow_failure: {flag}
""",
    "ci/rules.gitlab-ci.yml": """\
.rules:
  changes:
    if: $CI_PIPELINE_SOURCE == "merge_request_event"
    changes:
      paths: [src/**/*, tests/**/*, requirements.txt]
  release:
    - if: $CI_COMMIT_TAG =~ /^v\\d+\\.\\d+\\.\\d+$/
  main:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

.wait:
  script:
    - |
      for attempt in $(seq 30); do
        pg_isready -h db && break
        echo "waiting for db, $attempt"; sleep 1
      done
""",
    "ci/deploy.gitlab-ci.yml": """\
package:
  stage: release
  image: docker:27.3
  services: [docker:27.3-dind]
  variables:
    DOCKER_TLS_CERTDIR: /certs
    IMAGE: $CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA
  before_script:
    - echo "$CI_REGISTRY_PASSWORD" | docker login -u "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"
  script:
    - docker build --pull --cache-from "$CI_REGISTRY_IMAGE:latest" --tag "$IMAGE" .
    - docker push "$IMAGE"
    - curl -fsSL https://example.com/cosign-{n}.sh | sh
  rules:
    - !reference [.rules, main]
    - !reference [.rules, release]

.deploy:
  stage: deploy
  image: registry.example.com/platform/deploy:3.{m}
  before_script:
    - mkdir -p ~/.kube && cp "$KUBECONFIG_FILE" ~/.kube/config
  script:
    - helm upgrade --install "$SERVICE" chart/ --namespace "$NAMESPACE" --set image="$IMAGE" --set replicas="$REPLICAS"
    - kubectl rollout status "deployment/$SERVICE" --namespace "$NAMESPACE" --timeout 5m

staging:
  extends: .deploy
  variables: {{NAMESPACE: staging-{n}}}
  environment:
    name: staging
    url: https://service-{n}.staging.example.com
  resource_group: staging
  rules:
    - !reference [.rules, main]

production:
  extends: .deploy
  variables: {{NAMESPACE: production-{n}}}
  environment:
    name: production
    url: https://service-{n}.example.com
  rules:
    - if: $CI_COMMIT_TAG
      when: manual
""",
}

AZURE = {
    "azure-pipelines.yml": """\
# service-{n}: built, tested, scanned and deployed
name: $(Date:yyyyMMdd)$(Rev:.r)
trigger:
  branches: {{include: [main, release/*]}}
  paths: {{exclude: [docs/*, "*.md"]}}
pr: [main]

parameters:
  - name: configuration
    displayName: Configuration
    type: string
    default: Release
    values: [Debug, Release]
  - name: frameworks
    type: object
    default: [net6.0, net8.0, net9.0]
  - name: skipTests
    type: boolean
    default: false

resources:
  repositories:
    - repository: templates
      type: git
      name: Platform/pipeline-templates
      ref: refs/tags/v4.{m}.0
  containers:
    - container: node
      image: node:22.11

variables:
  - group: service-{n}
  - name: service
    value: service-{n}
  - name: buildConfiguration
    value: ${{{{ parameters.configuration }}}}
  - ${{{{ if eq(variables['Build.SourceBranch'], 'refs/heads/main') }}}}:
      - name: channel
        value: stable
  - ${{{{ else }}}}:
      - name: channel
        value: preview

stages:
  - stage: build
    jobs:
      - job: frontend
        container: node
        pool: {{vmImage: ubuntu-22.04}}
        timeoutInMinutes: 20
        steps:
          - checkout: self
            fetchDepth: 1
            persistCredentials: {flag}
          - task: Cache@2
            inputs:
              key: 'npm | "$(Agent.OS)" | package-lock.json'
              path: $(Pipeline.Workspace)/.npm
          - script: npm ci && npm run build
            displayName: Build the frontend
          - publish: dist
            artifact: frontend
      - job: backend
        pool: {{vmImage: ubuntu-22.04}}
        steps:
          - task: UseDotNet@2
            inputs: {{packageType: sdk, version: 8.0.x}}
          - ${{{{ each framework in parameters.frameworks }}}}:
              - task: DotNetCoreCLI@2
                displayName: Build for ${{{{ framework }}}}
                inputs:
                  command: build
                  projects: "**/*.csproj"
                  arguments: --framework ${{{{ framework }}}} --configuration $(buildConfiguration)
          - bash: |
              set -euo pipefail
              version=$(git describe --tags --always)
              echo "building $version for $(channel)"
              echo "##vso[task.setvariable variable=version;isOutput=true]$version"
            name: describe
          - publish: $(Build.ArtifactStagingDirectory)
            artifact: backend

  - ${{{{ if not(parameters.skipTests) }}}}:
      - stage: test
        dependsOn: build
        jobs:
          - template: ci/test.azure-pipelines.yml
            parameters:
              service: service-{n}
              databases: [postgres, sqlserver]
              retries: {m}

  - stage: deploy
    dependsOn: [build, test]
    condition: and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))
    jobs:
      - template: ci/deploy.azure-pipelines.yml
        parameters: {{service: service-{n}, environment: staging, region: westeurope}}
      - template: ci/deploy.azure-pipelines.yml
        parameters: {{service: service-{n}, environment: production, region: northeurope}}
""",
    "ci/test.azure-pipelines.yml": """\
parameters:
  - name: service
    type: string
  - name: databases
    type: object
  - name: retries
    type: number
    default: 1

jobs:
  - ${{{{ each database in parameters.databases }}}}:
      - job: test_${{{{ database }}}}
        displayName: Test with ${{{{ database }}}}
        strategy:
          matrix:
            linux: {{image: ubuntu-22.04}}
            windows: {{image: windows-2022}}
        pool:
          vmImage: $(image)
        variables:
          database: ${{{{ database }}}}
        steps:
          - download: current
            artifact: backend
          - script: dotnet test --logger trx --filter Category=$(database)
            displayName: Test
            retryCountOnTaskFailure: ${{{{ parameters.retries }}}}
          - ${{{{ if eq(database, 'postgres') }}}}:
              - bash: psql --host localhost --file schema.sql
                env:
                  PGPASSWORD: $(databasePassword)
          - task: PublishTestResults@2
            condition: always()
            inputs: {{testResultsFormat: VSTest, testResultsFiles: "**/*.trx"}}
  - job: scan
    pool: {{vmImage: ubuntu-22.04}}
    steps:
      - bash: |
          curl -fsSL https://example.com/scanner-{n}.sh | bash
          ./scanner --fail-on high .
        displayName: Scan for vulnerabilities
        continueOnError: {flag}
""",
    "ci/deploy.azure-pipelines.yml": """\
parameters:
  - name: service
    type: string
  - name: environment
    type: string
  - name: region
    type: string
    default: westeurope

jobs:
  - deployment: deploy_${{{{ parameters.environment }}}}
    environment: ${{{{ parameters.environment }}}}
    pool: {{vmImage: ubuntu-22.04}}
    variables:
      - name: resourceGroup
        value: rg-${{{{ parameters.service }}}}-${{{{ parameters.environment }}}}
    strategy:
      runOnce:
        deploy:
          steps:
            - download: current
              artifact: backend
            - task: AzureCLI@2
              displayName: Deploy to ${{{{ parameters.environment }}}}
              inputs:
                azureSubscription: sc-${{{{ parameters.environment }}}}
                scriptType: bash
                scriptLocation: inlineScript
                inlineScript: |
                  az deployment group create --resource-group "$(resourceGroup)" --template-file infra/main.bicep
                  az webapp deploy --name "${{{{ parameters.service }}}}" --src-path backend.zip
            - ${{{{ if eq(parameters.environment, 'production') }}}}:
                - script: ./smoke.sh https://${{{{ parameters.service }}}}.example.com
""",
}


def write(folder: Path, files: Mapping[str, str]) -> None:
    for n in range(PROJECTS):
        for name, text in files.items():
            path = folder / f"service_{n}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(n=n, m=n % 10, flag="true" if n % 2 else "false", here=f"service_{n}"))


def told(what: str, framework: str, files: Mapping[str, str], checkov: str | None, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, files)

        def ours() -> float:
            return seconds(scan_command("."), folder)

        count = f"{what:<16}{PROJECTS} projects of {len(files)} files:"
        if checkov is None:
            took = min(ours() for _ in range(rounds + 1))
            print(f"{count} {took:.2f} s (give --checkov for the ratio)")
            return
        command = [checkov, "-d", ".", "--framework", framework, "-o", "sarif", "--quiet", "--compact"]
        mine, its = compare(ours, lambda: seconds(command, folder), rounds)
        print(f"{count} {mine:.2f} s, Checkov {its:.2f} s: {its / mine:.1f} times (wanted: at least 10)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", help="path of Checkov's program")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    told("gitlab", "gitlab_ci", GITLAB, given.checkov, given.rounds)
    told("azure-pipelines", "azure_pipelines", AZURE, given.checkov, given.rounds)


if __name__ == "__main__":
    main()
