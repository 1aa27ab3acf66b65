"""What a target is called: `OWNER/REPO`, or an organisation's name."""

from __future__ import annotations

import re

from policy_engine.errors import ConfigError

OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")
REPOSITORY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def check(kind: str, target: str) -> None:
    """Raises ConfigError. The names go into paths of the API and of files, so nothing else may be in them."""
    if kind == "group":
        if not OWNER.fullmatch(target):
            raise ConfigError(f"--github-org {target}: no name of an organisation; write it as acme")
    elif not is_repository(target):
        raise ConfigError(f"--github {target}: no repository; write it as OWNER/REPO, such as acme/web")


def is_repository(target: str) -> bool:
    owner, slash, repository = target.partition("/")
    return bool(slash and OWNER.fullmatch(owner) and REPOSITORY.fullmatch(repository))
