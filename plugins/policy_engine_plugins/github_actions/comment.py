"""Keeps one comment of a pull request up to date: `python -m policy_engine_plugins.github_actions.comment FILE`.

Run by the action only, with GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL and PULL_REQUEST in the environment. Where
the token may not write, as on pull requests from forks, it says so and is done: the summary has it all.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_engine.escape import for_terminal, for_workflow_command

if TYPE_CHECKING:
    import requests

MARKER = "<!-- policy-engine: this comment is kept up to date -->"
MAX_PAGES = 20
TIMEOUT_S = 20


class CommentError(Exception):
    """The comment cannot be kept, and why."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """0 where the comment stands, or where it was said why it does not; 2 for a wrong call."""
    if len(arguments) != 1:
        print("usage: comment FILE", file=sys.stderr)
        return 2
    try:
        done = keep(Path(arguments[0]).read_text(encoding="utf-8"), environment)
    except (CommentError, OSError) as error:
        text = for_terminal(f"the pull request is not commented: {error}")
        print(f"::notice title=policy-engine::{for_workflow_command(text)}")
        return 0
    print(f"comment {done}")
    return 0


def keep(text: str, environment: Mapping[str, str]) -> str:
    """Writes the comment, or brings the former one up to date. Raises CommentError."""
    import requests

    repository, number = environment.get("GITHUB_REPOSITORY", ""), environment.get("PULL_REQUEST", "")
    token = environment.get("GITHUB_TOKEN", "")
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not number.isdecimal():
        raise CommentError("this is no run for a pull request")
    if not token:
        raise CommentError("there is no token")
    body = f"{MARKER}\n{text}"
    with requests.Session() as session:
        session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )
        comments = f"{api}/repos/{repository}/issues/{number}/comments"
        former = _former(session, comments)
        if former is None:
            _call(session, "POST", comments, {"body": body})
            return "written"
        _call(session, "PATCH", f"{api}/repos/{repository}/issues/comments/{former}", {"body": body})
        return "brought up to date"


def _former(session: requests.Session, url: str) -> int | None:
    """The comment that begins with the marker: of several, the first."""
    for page in range(1, MAX_PAGES + 1):
        listed = _call(session, "GET", f"{url}?per_page=100&page={page}")
        if not isinstance(listed, list):
            raise CommentError("the list of comments is not understood")
        for one in listed:
            if isinstance(one, dict) and str(one.get("body", "")).startswith(MARKER) and _is_own(one):
                return int(one["id"])
        if len(listed) < 100:
            return None
    return None


def _is_own(comment: Mapping[str, Any]) -> bool:
    """Anybody can write the marker; only a comment of a bot is brought up to date."""
    user = comment.get("user")
    return isinstance(user, dict) and user.get("type") == "Bot"


def _call(session: requests.Session, method: str, url: str, body: Mapping[str, str] | None = None) -> Any:
    import requests

    try:
        answer = session.request(method, url, json=body, timeout=TIMEOUT_S, allow_redirects=False)
        if answer.status_code in (401, 403, 404):
            raise CommentError(
                "the token may not write comments here (pull-requests: write is needed, which runs for forks lack)"
            )
        if not answer.ok:
            raise CommentError(f"GitHub answered with status {answer.status_code}")
        return answer.json()
    except requests.JSONDecodeError:
        raise CommentError("GitHub's answer is not understood") from None
    except requests.RequestException as error:
        raise CommentError(f"GitHub cannot be reached: {type(error).__name__}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
