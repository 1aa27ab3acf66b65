"""The settings of pre-commit: whose code runs on every commit. https://pre-commit.com/#adding-pre-commit-plugins"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.project import Project
from policy_engine.resource import AttributePath, Resource
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem
from policy_engine.yaml_document import YamlDocument, parse_yaml
from policy_engine_plugins.repository.places import (
    fault,
    from_document,
    has_password,
    is_local,
    scheme_of,
    without_password,
)
from policy_engine_plugins.repository.scripts import downloads

PLACES = (".pre-commit-config.yaml", ".pre-commit-config.yml")
SECRET_HOOKS = frozenset(
    {
        *(
            "detect-secrets",
            "gitleaks",
            "gitleaks-docker",
            "gitleaks-system",
            "policy-engine",
            "policy-engine-change",
            "trufflehog",
            "ggshield",
            "ggshield-push",
        ),
        *("detect-private-key", "detect-aws-credentials", "talisman-commit", "talisman-push", "git-secrets"),
        *("kingfisher", "ripsecrets", "secretlint", "shhgit", "whispers", "betterleaks"),
    }
)
_OWN = ("local", "meta", "builtin")
_BRANCHES = re.compile(r"(?i)(?:head|main|master|trunk|dev|develop|development|next|latest|stable|release|nightly)$")
_COMMIT = re.compile(r"[0-9a-f]{40}$")


def load(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    parsed = parse_yaml(data, path)
    problems = list(parsed.problems)
    resources: list[Resource] = []
    for document in parsed.documents[:1]:
        value: Any = document.value
        if not isinstance(value, dict):
            problems.append(Problem(path, "the file holds a mapping", document.at(())))
            continue
        for index, each in enumerate(_listed(value.get("repos"))):
            if isinstance(each, dict):
                resources.extend(_repository(each, ("repos", index), document))
    return resources, problems


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _repository(each: Mapping[str, Any], at: AttributePath, document: YamlDocument) -> Iterator[Resource]:
    repo = each.get("repo")
    if not isinstance(repo, str):
        return
    if repo not in _OWN:
        rev = each.get("rev")
        text = str(rev) if isinstance(rev, (str, int, float)) else ""
        shown = without_password(repo)
        value = {
            "repo": shown,
            "rev": text,
            "fixed": bool(_COMMIT.match(text)) or (bool(re.search(r"\d", text)) and not _BRANCHES.match(text)),
            "commit": bool(_COMMIT.match(text)),
            "scheme": scheme_of(repo),
            "open": scheme_of(repo) in ("http", "git") and not is_local(repo),
            "credentials": has_password(repo),
        }
        renamed: dict[str, AttributePath] = {
            **dict.fromkeys(("fixed", "commit"), ("rev",)),
            **dict.fromkeys(("scheme", "open", "credentials"), ("repo",)),
        }
        yield from_document("pre_commit_hook_repository", f"pre-commit/{shown}", shown, value, document, at, renamed)
    for index, hook in enumerate(_listed(each.get("hooks"))):
        if isinstance(hook, dict) and repo == "local":
            name = str(hook.get("id", index))
            entry = hook.get("entry")
            wrong = [fault(text, ("entry",)) for text in downloads(entry)] if isinstance(entry, str) else []
            made = {"entry": entry, "language": hook.get("language"), "faults": wrong}
            yield from_document(
                "pre_commit_hook", f"pre-commit/local/{name}", name, made, document, (*at, "hooks", index)
            )


def secrets_hook(project: Project, tree: Tree) -> str | None:
    """The hook that looks for secrets before a commit, where there is one; an empty text where pre-commit is used
    without; None where it is not used."""
    there = set(PLACES).intersection(project.paths)
    for path in sorted(there):
        try:
            parsed = parse_yaml(tree.read(path), path)
        except (OSError, FileTooLarge):
            continue
        for document in parsed.documents[:1]:
            value: Any = document.value
            for each in _listed(value.get("repos")) if isinstance(value, dict) else []:
                for hook in _listed(each.get("hooks")) if isinstance(each, dict) else []:
                    name = str(hook.get("id")) if isinstance(hook, dict) else ""
                    entry = str(hook.get("entry", "")) if isinstance(hook, dict) else ""
                    if name in SECRET_HOOKS or any(tool in f"{name} {entry}" for tool in SECRET_HOOKS):
                        return name
    return "" if there else None
