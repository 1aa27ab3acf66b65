"""What .gitignore leaves out is what git itself leaves out."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from policy_engine.tree import WorkTree
from policy_engine_plugins.repository.ignored import Ignores

PATTERNS = [
    *(".env", "/.env", "*.env", "!.env", "a/", "/a/", "a/*", "!a/.env", "**/b", "a/**", "b/.env", "*.tfstate"),
    *("!*.tfstate", "# comment", "\\#x", "[ab]/", "c?", "a/**/c", "*", "!*/", "!a/", "  ", "[z", "terraform.*"),
]
PATHS = [
    *(".env", "a/.env", "b/.env", "a/b/.env", "a/b/c/.env", "c1/.env", "terraform.tfstate", "a/terraform.tfstate"),
    *("b/c/terraform.tfstate", "prod.env", "a/c/prod.env"),
]


def test_it_says_of_every_path_what_git_says(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for folder in ("a/b/c", "b/c", "c1", "a/c"):
        (tmp_path / folder).mkdir(parents=True)
    chosen = random.Random(11)
    compared = 0
    for _ in range(150):
        files = {"": chosen.sample(PATTERNS, chosen.randint(1, 5))}
        for folder in ("a/", "a/b/", "b/"):
            if chosen.random() < 0.4:
                files[folder] = chosen.sample(PATTERNS, chosen.randint(1, 3))
        for folder in ("", "a/", "a/b/", "b/"):
            place = tmp_path / folder / ".gitignore"
            place.unlink(missing_ok=True)
            if folder in files:
                place.write_text("\n".join(files[folder]) + "\n")
        told = subprocess.run(
            ["git", "-C", str(tmp_path), "check-ignore", "--stdin"],
            input="\n".join(PATHS),
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
        )
        theirs = set(told.stdout.split())
        ignores = Ignores(WorkTree(str(tmp_path)))
        assert {path for path in PATHS if ignores.ignored(path)} == theirs, files
        compared += len(PATHS)
    assert compared > 1000
