"""Scanning two hundred generated workflows, against Checkov (`--framework github_actions`) and zizmor (offline) on the
same files, both sides in turn. Runs alone: `python benchmarks/workflows.py [--checkov PATH] [--zizmor PATH]`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from run import compare, scan_command, seconds

TEST = """\
name: test-{n}
on:
  push:
    branches: [main]
  pull_request:
    paths: ["services/service-{n}/**"]
permissions:
  contents: read
concurrency:
  group: test-{n}-${{{{ github.ref }}}}
  cancel-in-progress: true
env:
  SERVICE: service-{n}
jobs:
  test:
    name: test
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    strategy:
      matrix:
        python: ["3.11", "3.12", "3.13"]
    services:
      db:
        image: postgres:17
        env: {{POSTGRES_PASSWORD: test}}
        ports: ["5432:5432"]
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: ${{{{ matrix.python }}}}
          cache: pip
      - name: Install
        run: |
          python -m pip install --upgrade pip
          pip install -r services/$SERVICE/requirements.txt
          if [ "$RUNNER_OS" = Linux ]; then sudo apt-get install -y libpq-dev; fi
      - name: Test
        working-directory: services/service-{n}
        run: |
          set -euo pipefail
          for suite in unit integration; do
            pytest -q "tests/$suite" --junitxml "reports/$suite.xml" | tee "reports/$suite.log"
          done
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        if: ${{{{ !cancelled() }}}}
        with:
          name: reports-${{{{ matrix.python }}}}
          path: services/service-{n}/reports
  title:
    name: title
    if: github.event_name == 'pull_request' && github.event.pull_request.user.login != 'dependabot[bot]'
    runs-on: ubuntu-24.04
    steps:
      - run: {title}
        env:
          TITLE: ${{{{ github.event.pull_request.title }}}}
"""
DEPLOY = """\
name: deploy-{n}
on:
  workflow_dispatch:
    inputs:
      version: {{type: string, required: true}}
      stage: {{type: choice, options: [test, live]}}
permissions: {{}}
jobs:
  build:
    name: build
    runs-on: ubuntu-24.04
    permissions:
      contents: read
      packages: write
      id-token: write
    outputs:
      digest: ${{{{ steps.push.outputs.digest }}}}
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
      - uses: docker/login-action@v3
        with:
          registry: ghcr.io
          username: ${{{{ github.actor }}}}
          password: ${{{{ secrets.GITHUB_TOKEN }}}}
      - id: push
        uses: docker/build-push-action@v6
        with:
          context: services/service-{n}
          push: true
          tags: ghcr.io/acme/service-{n}:${{{{ inputs.version }}}}
  deploy:
    name: deploy
    needs: build
    runs-on: ubuntu-24.04
    environment: ${{{{ inputs.stage }}}}
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: arn:aws:iam::123456789012:role/deploy-{n}
          aws-region: eu-central-1
      - name: Roll out
        run: |
          curl -fsSLo tool https://example.com/tool-1.2.3
          echo "IMAGE=ghcr.io/acme/service-{n}@$DIGEST" >> "$GITHUB_ENV"
          kubectl set image deployment/service-{n} app="ghcr.io/acme/service-{n}@$DIGEST"
          kubectl rollout status deployment/service-{n} --timeout 300s || kubectl rollout undo deployment/service-{n}
        env:
          DIGEST: ${{{{ needs.build.outputs.digest }}}}
      - run: {tell}
"""


def two_hundred_workflows(folder: Path) -> None:
    """Half test and half deploy; every third one has a flaw in a script."""
    place = folder / ".github" / "workflows"
    place.mkdir(parents=True)
    for n in range(100):
        title = './check-title "${{ github.event.pull_request.title }}"' if n % 3 == 0 else './check-title "$TITLE"'
        tell = "./tell ${{ inputs.version }}" if n % 3 == 1 else "./tell"
        (place / f"test-{n}.yml").write_text(TEST.format(n=n, title=title))
        (place / f"deploy-{n}.yml").write_text(DEPLOY.format(n=n, tell=tell))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", help="path of a checkov executable to compare with")
    parser.add_argument("--zizmor", default=shutil.which("zizmor", path=str(Path(sys.executable).parent)))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "repository"
        two_hundred_workflows(folder)
        out = ["--output-file-path", str(Path(made) / "out")]
        others = []
        if given.checkov:
            quiet = [
                given.checkov,
                "-d",
                ".",
                "--framework",
                "github_actions",
                "--compact",
                "--quiet",
                "-o",
                "sarif",
                *out,
            ]
            others.append(("Checkov", quiet))
        if given.zizmor:
            others.append(("zizmor", [given.zizmor, "--offline", "--no-progress", "--quiet", "--no-exit-codes", "."]))
        if not others:
            raise SystemExit("give --checkov or --zizmor, or install zizmor beside this Python")
        for name, command in others:
            ours, theirs = compare(
                lambda: seconds(scan_command("."), folder),
                lambda command=command: seconds(command, folder),  # type: ignore[misc]
                given.rounds,
            )
            ratio = f"{theirs / ours:.1f} times faster" if theirs > ours else f"{ours / theirs:.1f} times slower"
            print(f"workflows  200 files {ours:.2f} s, {name} {theirs:.2f} s: {ratio}")


if __name__ == "__main__":
    main()
