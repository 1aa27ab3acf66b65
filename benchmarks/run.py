"""Measures the product's claims as ratios, both sides taken in turn in one run. See README.md beside this file."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

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


def terraform(checkov: str | None, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n in range(50):
            group = folder / f"group{n // 10}"
            group.mkdir(exist_ok=True)
            (group / f"part{n}.tf").write_text(MODULE.format(n=n, flag="true" if n % 3 else "false"))
        if checkov is None:
            took = statistics.median(seconds(scan_command("."), folder) for _ in range(rounds))
            print(f"terraform  50 files {took:.2f} s (give --checkov for the ratio)")
            return
        quiet = [
            checkov,
            "-d",
            ".",
            "--framework",
            "terraform",
            "--compact",
            "--quiet",
            "-o",
            "sarif",
            "--output-file-path",
            str(folder / "out"),
        ]
        ours, theirs = compare(lambda: seconds(scan_command("."), folder), lambda: seconds(quiet, folder), rounds)
    print(f"terraform  50 files {ours:.2f} s, Checkov {theirs:.2f} s:", end=" ")
    print(f"{theirs / ours:.1f} times faster (wanted: at least 10)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", help="path of a checkov executable to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    start(given.rounds)
    terraform(given.checkov, max(3, given.rounds // 5))


if __name__ == "__main__":
    main()
