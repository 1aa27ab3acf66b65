"""Tools of others that render charts and build kustomizations: where they are, and how they are run.

What they read was written by strangers, so they run in a folder of their own that holds copies alone, with an empty
environment, without network, and within limits of memory, time and output. See docs/charts.md.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

TIME_S = 20
MEMORY_BYTES = 1 << 30
OUTPUT_BYTES = 32 << 20
_NOT_ISOLATED = 97
# A place where nothing listens: what asks for the network in spite of all is refused at once.
_NOWHERE = "http://127.0.0.1:9"
# kubectl puts the time before what it says, which would make every report another one.
_LOGGED = re.compile(r'^[EWIF]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\] (?:"command failed" err=)?"?', re.MULTILINE)
_WARNING = re.compile(r"(?:# )?warning\b", re.IGNORECASE)
_FIRST_HELM_WITHOUT_DNS = (3, 11, 1)


class Done(Struct, frozen=True):
    """What a run came to. `error` is empty where it went well, else what the tool says or why it was stopped."""

    output: bytes
    error: str


def find(name: str) -> str | None:
    """A tool on the PATH. One inside the repository that is worked in may be one of the files that are scanned: it is
    not run, and nor is one that a relative folder of the PATH leads to."""
    here = _repository(os.path.realpath(os.getcwd()))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if not (os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK)):
            continue
        if here is None or not any(_is_below(each, here) for each in (path, os.path.realpath(path))):
            return path
    return None


def _is_below(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _repository(folder: str) -> str | None:
    at = folder
    while True:
        if os.path.exists(os.path.join(at, ".git")):
            return at
        above = os.path.dirname(at)
        if above == at:
            return None
        at = above


def run(tool: str, arguments: Sequence[str], folder: str, *, without_network: bool = True) -> Done:
    """Runs a tool in a private folder; not where it must not have a network and this cannot be cut off."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="home-", dir=folder) as home:
        out_path, error_path = os.path.join(home, "out"), os.path.join(home, "error")
        command = [
            sys.executable,
            "-I",
            "-S",
            os.path.join(os.path.dirname(os.path.abspath(__file__)), "sandbox.py"),
            "none" if without_network else "any",
            str(MEMORY_BYTES),
            str(TIME_S),
            str(OUTPUT_BYTES),
            tool,
            *arguments,
        ]
        with open(out_path, "wb") as out, open(error_path, "wb") as error:
            process = subprocess.Popen(  # noqa: S603 - no shell; the tool is one of the user's own PATH
                command,
                cwd=folder,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=error,
                start_new_session=True,
            )
            try:
                code = process.wait(TIME_S + 5)
            except subprocess.TimeoutExpired:
                return Done(b"", f"took longer than {TIME_S} s")
            finally:
                # Also where the scan's own time is up.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if code == 0:
            with open(out_path, "rb") as stream:
                return Done(stream.read(OUTPUT_BYTES), "")
        return Done(b"", _failure(code, out_path, error_path, folder))


def _failure(code: int, out_path: str, error_path: str, folder: str) -> str:
    if code == _NOT_ISOLATED:
        return "the network cannot be cut off on this machine"
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"took longer than {TIME_S} s"
    if os.path.getsize(out_path) >= OUTPUT_BYTES:
        return f"gives more than {OUTPUT_BYTES >> 20} MiB"
    with open(error_path, "rb") as stream:
        said = stream.read(64 << 10).decode("utf-8", "replace").replace(f"{folder}/", "").replace(folder, "")
    said = _LOGGED.sub("", said)
    lines = [line for line in said.splitlines() if line.strip(" <>\t") and not _WARNING.match(line)]
    errors = [line for line in lines if line.startswith(("Error: ", "error: "))]
    if not errors:
        if "out of memory" in said or "cannot allocate memory" in said or "failed to reserve" in said:
            return f"needs more than {MEMORY_BYTES >> 20} MiB of memory"
        if "stack overflow" in said or "goroutine stack exceeds" in said:
            return "recurses without end"
    text = " ".join((errors or lines or [f"ended with exit code {code}"])[0].split())
    return re.sub(r"^[Ee]rror: ", "", text)[:1000]


def _environment(home: str) -> dict[str, str]:
    """Nothing of the user's own: no credentials, clusters, plugins or repositories, and no PATH."""
    return {
        "PATH": "",
        "HOME": home,
        "TMPDIR": home,
        "XDG_CACHE_HOME": home,
        "XDG_CONFIG_HOME": home,
        "XDG_DATA_HOME": home,
        "HELM_CACHE_HOME": home,
        "HELM_CONFIG_HOME": home,
        "HELM_DATA_HOME": home,
        "HELM_PLUGINS": os.path.join(home, "plugins"),
        "HELM_NO_PLUGINS": "1",
        "KUBECONFIG": os.path.join(home, "kubeconfig"),
        "HTTP_PROXY": _NOWHERE,
        "HTTPS_PROXY": _NOWHERE,
        "ALL_PROXY": _NOWHERE,
        "GOMAXPROCS": "2",
        "GOMEMLIMIT": str(MEMORY_BYTES * 3 // 4),
        "GOTRACEBACK": "none",
        "LANG": "C.UTF-8",
    }


@lru_cache(maxsize=8)
def helm_asks_no_names(helm: str) -> bool:
    """Whether this helm looks no host names up for templates unless it is told to; older ones do."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="policy-engine-") as folder:
        said = run(helm, ["version", "--short"], folder, without_network=False).output.decode("utf-8", "replace")
    match = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    return match is not None and tuple(map(int, match.groups())) >= _FIRST_HELM_WITHOUT_DNS
