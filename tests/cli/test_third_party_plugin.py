"""The example plugin, built and installed by pip into a fresh environment, takes part in a scan."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_third_party_package_adds_a_format_a_check_a_rule_and_a_reporter(tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    binaries = environment / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "install", "--quiet"]
    subprocess.run([*pip, str(ROOT), str(ROOT / "examples" / "acme-policy")], check=True)
    project = tmp_path / "project"
    project.mkdir()
    (project / ".npmrc").write_text("fund=false\nregistry=http://npm.acme.example/\n")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(binaries / "policy-engine"), *arguments]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)

    scanned = call("scan", ".", "--format", "csv")
    assert scanned.returncode == 1, scanned.stderr
    assert scanned.stdout.splitlines()[1].startswith(".npmrc,2,1,high,acme-registry-over-https,")
    tested = call("rules", "test", "acme-registry-over-https")
    assert (tested.returncode, tested.stdout) == (0, "1 rules, 4 examples, no mistakes\n")
    assert "acme-policy" in call("plugins", "list").stdout
