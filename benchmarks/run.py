"""Measures the product's claims as ratios, both sides taken in turn in one run. See README.md beside this file."""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from module_repositories import repositories

SMALL = """\
resource "aws_s3_bucket" "logs" {
  bucket = "logs"
}
"""

MODULE = """\
variable "environment_{n}" {{
  type    = string
  default = "staging"
}}

locals {{
  prefix_{n} = "app-{n}-${{var.environment_{n}}}"
  tags_{n} = {{
    owner = "team-{n}"
    env   = var.environment_{n}
  }}
}}

resource "aws_s3_bucket" "data_{n}" {{
  bucket = "${{local.prefix_{n}}}-data"
  tags   = merge(local.tags_{n}, {{ tier = "data" }})
}}

resource "aws_s3_bucket_versioning" "data_{n}" {{
  bucket = aws_s3_bucket.data_{n}.id
  versioning_configuration {{
    status = "Enabled"
  }}
}}

resource "aws_db_instance" "db_{n}" {{
  identifier          = lower(local.prefix_{n})
  engine              = "postgres"
  instance_class      = "db.t4g.small"
  storage_encrypted   = {flag}
  publicly_accessible = false
}}

resource "aws_security_group" "sg_{n}" {{
  name = local.prefix_{n}
  dynamic "ingress" {{
    for_each = [22, 443, 8080]
    content {{
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["10.{n}.0.0/16"]
    }}
  }}
}}

resource "aws_iam_policy" "policy_{n}" {{
  name = local.prefix_{n}
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "${{aws_s3_bucket.data_{n}.arn}}/*"
    }}]
  }})
}}

resource "aws_lambda_function" "worker_{n}" {{
  function_name = "${{local.prefix_{n}}}-worker"
  role          = "arn:aws:iam::123456789012:role/worker"
  handler       = "index.handler"
  runtime       = "python3.12"
  filename      = "worker.zip"
  environment {{
    variables = {{
      BUCKET = aws_s3_bucket.data_{n}.bucket
    }}
  }}
}}
"""


# Compiled modules are kept, as in any ordinary installation; a developer's setting against it would skew both sides.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: Sequence[str], folder: Path) -> float:
    """Wall time of a command. Its exit code may be 0 or 1: findings are no failure of a benchmark."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    took = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return took


def compare(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Medians of both, taken in turn; the first round of each warms the caches and does not count."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def scan_command(target: str) -> list[str]:
    return [str(Path(sys.executable).parent / "policy-engine"), "scan", target, "--format", "sarif"]


def start(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.tf").write_text(SMALL)
        ours, bare = compare(
            lambda: seconds(scan_command("main.tf"), folder),
            lambda: seconds([sys.executable, "-c", "import yaml, click, pluggy"], folder),
            rounds,
        )
    print(f"start      one small file {ours * 1000:.0f} ms, bare imports {bare * 1000:.0f} ms:", end=" ")
    print(f"{ours / bare:.2f} times (wanted: at most 2.5)")


def rerun(rounds: int) -> None:
    """The pre-commit hook over a file that has not changed since it last ran."""
    import shutil

    project = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as name:
        site, folder = Path(name) / "site", Path(name) / "project"
        shutil.copytree(project / "policy_engine", site / "policy_engine")
        shutil.copytree(project / "rules", site / "policy_engine" / "rules")  # as a wheel has them
        shutil.copytree(project / "plugins" / "policy_engine_plugins", site / "policy_engine_plugins")
        folder.mkdir()
        (folder / "main.tf").write_text(SMALL)
        os.utime(folder, (time.time() - 100, time.time() - 100))
        ENVIRONMENT["PYTHONPATH"] = str(site)
        hook = [sys.executable, "-m", "policy_engine", "scan", "--given-only", "main.tf"]
        seconds(hook, folder)
        ours, bare = compare(
            lambda: seconds(hook, folder),
            lambda: seconds([sys.executable, "-c", "import yaml, click, pluggy"], folder),
            rounds,
        )
        del ENVIRONMENT["PYTHONPATH"]
    print(f"rerun      hook on an unchanged file {ours * 1000:.0f} ms, bare imports {bare * 1000:.0f} ms:", end=" ")
    print(f"{ours / bare:.2f} times (wanted: less than 2)")


def fifty_files(folder: Path) -> None:
    for n in range(50):
        group = folder / f"group{n // 10}"
        group.mkdir(exist_ok=True)
        (group / f"part{n}.tf").write_text(MODULE.format(n=n, flag="true" if n % 3 else "false"))


def modules(folder: Path) -> None:
    """The three module repositories side by side."""
    for name, files in repositories():
        for path, text in files.items():
            place = folder / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)


def against_checkov(name: str, wanted: int, write: Callable[[Path], None], checkov: str | None, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "repository"
        folder.mkdir()
        write(folder)
        count = sum(1 for path in folder.rglob("*.tf"))
        if checkov is None:
            took = statistics.median(seconds(scan_command("."), folder) for _ in range(rounds))
            print(f"{name:<10} {count} files {took:.2f} s (give --checkov for the ratio)")
            return
        quiet = [checkov, "-d", ".", "--framework", "terraform", "--compact", "--quiet", "-o", "sarif"]
        quiet += ["--output-file-path", str(Path(made) / "out")]
        ours, theirs = compare(lambda: seconds(scan_command("."), folder), lambda: seconds(quiet, folder), rounds)
    print(f"{name:<10} {count} files {ours:.2f} s, Checkov {theirs:.2f} s:", end=" ")
    print(f"{theirs / ours:.1f} times faster (wanted: at least {wanted})")


WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{n}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: app
          image: registry.example.org/service-{n}:1.{n}.0
          securityContext:
            runAsNonRoot: {flag}
"""


def five_thousand_files(folder: Path) -> None:
    """Half Terraform, a hundred folders of it, and half Kubernetes."""
    for n in range(2500):
        flag = "true" if n % 3 else "false"
        for place, text in (
            (folder / "terraform" / f"group{n // 25}" / f"part{n}.tf", MODULE.format(n=n, flag=flag)),
            (folder / "kubernetes" / f"team{n // 50}" / f"service{n}.yaml", WORKLOAD.format(n=n, flag=flag)),
        ):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)


def change(rounds: int) -> None:
    """A change of one file in five thousand, against scanning all of them."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        five_thousand_files(folder)
        git = ["git", "-c", "user.name=b", "-c", "user.email=b@example.org"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "base"]):
            subprocess.run([*git, *command], cwd=folder, check=True)
        changed = folder / "terraform" / "group7" / "part180.tf"
        changed.write_text(changed.read_text() + SMALL)
        ours, full = compare(
            lambda: seconds([*scan_command("."), "--base", "HEAD"], folder),
            lambda: seconds(scan_command("."), folder),
            rounds,
        )
    print(f"change     one file of 5,000 {ours:.2f} s, all of them {full:.2f} s:", end=" ")
    print(f"{full / ours:.1f} times faster (wanted: at least 10)")


_LOAD = """
import gc, time, sys
gc.disable()  # as the command line does
from policy_engine.discovery import discover
from policy_engine.tree import WorkTree
from policy_engine_plugins.terraform import TerraformFormat
root = sys.argv[1]
format_, tree = TerraformFormat(), WorkTree(root)
paths = [path for path in discover(root, [root]).paths if format_.claims(path)]
for unit in format_.units(paths, tree):
    format_.load(unit, tree)
"""
_TFPARSE = """
import os, sys, tfparse
for folder in sys.argv[2:]:
    tfparse.load_from_path(os.path.join(sys.argv[1], folder))
"""


def against_tfparse(name: str, write: Callable[[Path], None], rounds: int) -> None:
    """Reading and evaluating alone, without rules: the same root modules by each, in a fresh process."""
    if importlib.util.find_spec("tfparse") is None:
        print(f"{name:<10} evaluated: tfparse is not installed in this environment, so it is not measured")
        return
    from policy_engine.tree import WorkTree
    from policy_engine_plugins.terraform import TerraformFormat

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write(folder)
        paths = [str(path.relative_to(folder)) for path in folder.rglob("*.tf")]
        roots = [unit.name for unit in TerraformFormat().units(paths, WorkTree(made))]
        ours, theirs = compare(
            lambda: seconds([sys.executable, "-c", _LOAD, made], folder),
            lambda: seconds([sys.executable, "-c", _TFPARSE, made, *roots], folder),
            rounds,
        )
    print(f"{name:<10} evaluated in {ours:.2f} s, tfparse {theirs:.2f} s:", end=" ")
    print(f"{ours / theirs:.2f} times (wanted: at most 2)")


def profile(write: Callable[[Path], None], rounds: int) -> None:
    """Where the time of a scan goes, stage by stage."""
    import gc

    from policy_engine import __version__
    from policy_engine.claiming import claim, make_units
    from policy_engine.concealment import Concealment
    from policy_engine.discovery import discover
    from policy_engine.evaluated import Evaluated, SourceLines
    from policy_engine.evaluation import evaluate
    from policy_engine.plugins import load_plugins
    from policy_engine.resource import ResourceGraph
    from policy_engine.rulebook import load_rulebook
    from policy_engine.ruleset import RuleSet
    from policy_engine.settings import Settings
    from policy_engine.settlement import settle
    from policy_engine.tree import WorkTree
    from policy_engine.twins import join_twins

    gc.disable()
    spent: dict[str, list[float]] = {}

    def stage(name: str, started: float) -> float:
        now = time.perf_counter()
        spent.setdefault(name, []).append(now - started)
        return now

    with tempfile.TemporaryDirectory() as made:
        write(Path(made))
        for _ in range(rounds + 1):
            at = time.perf_counter()
            plugins = load_plugins()
            rulebook = load_rulebook(plugins, __version__)
            at = stage("load plugins and rules", at)
            found = discover(made, [made])
            at = stage("discover files", at)
            tree = WorkTree(made)
            claimed, _, _ = claim(tree, found.paths, plugins.formats.values())
            at = stage("claim files", at)
            units = list(make_units(tree, claimed, plugins.formats))
            at = stage("find root modules", at)
            rules = RuleSet(rulebook.select(Settings(), ["terraform", "policy"]), plugins.checks, {})
            at = stage("compile rules", at)
            loaded = [plugins.formats[unit.format].load(unit, tree) for unit in units]
            at = stage("parse and evaluate", at)
            lines = SourceLines(tree)
            results = [
                Evaluated("terraform", *judged, one.problems, {}, {}, Concealment())
                for one in loaded
                for judged in [evaluate(rules, ResourceGraph(one.resources), lines.line)]
            ]
            at = stage("judge by rules, locate", at)
            join_twins(settle(results, rules, rulebook).findings)
            stage("join and sort findings", at)
    medians = {name: statistics.median(times[1:]) for name, times in spent.items()}
    total = sum(medians.values())
    print(f"profile    {total * 1000:.0f} ms in one process, without its start:")
    for name, took in medians.items():
        print(f"           {name:<24} {took * 1000:6.1f} ms {took / total:6.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", help="path of a checkov executable to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    start(given.rounds)
    rerun(given.rounds)
    few = max(3, given.rounds // 5)
    against_checkov("terraform", 15, fifty_files, given.checkov, few)
    against_checkov("modules", 40, modules, given.checkov, few)
    against_tfparse("terraform", fifty_files, few)
    against_tfparse("modules", modules, few)
    change(3)
    profile(modules, few)


if __name__ == "__main__":
    main()
