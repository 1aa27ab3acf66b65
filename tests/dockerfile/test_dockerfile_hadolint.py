"""The rules agree with hadolint, line by line, where both look at the same thing; where they do not, it says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerfile_reading import load
from policy_engine.finding import Outcome
from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree

HADOLINT = shutil.which(
    "hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
)
CORPUS = Path(__file__).parent.parent / "corpus" / "dockerfile"

pytestmark = pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")

# What hadolint calls it, and which of our rules tell it.
SUBJECTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "folder": (("DL3000", "DL3045"), ("image-workdir-absolute",)),
    "root": (("DL3002",), ("container-runs-as-non-root",)),
    "sudo": (("DL3004",), ("image-sudo-not-used",)),
    "image": (("DL3006", "DL3007", "DL3022"), ("container-image-versioned",)),
    "package version": (("DL3008", "DL3018", "DL3033", "DL3037", "DL3041"), ("image-package-versioned",)),
    "package cache": (
        ("DL3009", "DL3019", "DL3032", "DL3036", "DL3040", "DL3042"),
        ("image-package-cache-cleared",),
    ),
    "effect": (
        ("DL3011", "DL3012", "DL3021", "DL3023", "DL3024", "DL4003", "DL4004"),
        ("image-instruction-effective",),
    ),
    "tool version": (("DL3013", "DL3016", "DL3028", "DL3062"), ("image-tool-versioned",)),
    "question": (("DL3014", "DL3030", "DL3034", "DL3038"), ("image-package-install-unattended",)),
    "recommended": (("DL3015",), ("image-packages-minimal",)),
    "add": (("DL3020",), ("image-file-copied",)),
    "signal": (("DL3025",), ("image-process-signalled",)),
    "apt": (("DL3027",), ("image-package-tool-stable",)),
    "upgrade": (("DL3035",), ("image-system-not-upgraded",)),
    "login record": (("DL3046",), ("image-login-record-small",)),
    "pipe": (("DL4006",), ("image-download-failure-noticed", "image-download-not-run")),
}

# Each stands behind `FROM debian:12.8`, unless it brings its own.
SAMPLES = (
    "WORKDIR srv",
    "WORKDIR /srv",
    "WORKDIR /srv\nWORKDIR app",
    "WORKDIR C:/srv",
    "COPY a.json b.json /srv/",
    "COPY a.json b.json /srv/x",
    "COPY a.json b.json ./",
    "WORKDIR /srv\nCOPY a.json b.json .",
    "COPY a.json x.json",
    "WORKDIR /srv\nCOPY a.json x.json",
    "USER root",
    "USER 0",
    "USER root:root",
    "USER app",
    "USER root\nRUN make\nUSER 10001",
    "FROM debian:12.8 AS build\nUSER root\nFROM debian:12.8\nUSER 10001",
    "RUN sudo make",
    "RUN make && sudo -u app make install",
    "RUN apt-get update && apt-get install -y --no-install-recommends sudo=1.9.* && rm -rf /var/lib/apt/lists/*",
    "FROM debian",
    "FROM debian:latest",
    "FROM debian:12.8 AS build\nFROM build",
    "FROM scratch",
    "FROM debian:12.8@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "ARG TAG=12.8\nFROM debian:$TAG",
    "FROM debian:12.8 AS build\nFROM debian:12.8\nCOPY --from=build /a /b",
    "FROM debian:12.8 AS build\nFROM debian:12.8\nCOPY --from=0 /a /b",
    "COPY --from=nginx:1.27 /a /b",
    "COPY --from=other /a /b",
    "FROM debian:12.8 AS own\nCOPY --from=own /a /b",
    "FROM debian:12.8 AS same\nFROM debian:12.8 AS same",
    "RUN apt-get update && apt-get install -y curl",
    "RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*",
    "RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.* && rm -rf /var/lib/apt/lists/*",
    "RUN apt-get update && apt-get install --no-install-recommends curl=7.88.* && rm -rf /var/lib/apt/lists/*",
    "RUN apt-get update && apt-get -qq install --no-install-recommends curl=7.88.* && rm -rf /var/lib/apt/lists/*",
    "RUN apt-get update && apt-get install --yes --no-install-recommends ./a.deb && rm -rf /var/lib/apt/lists",
    "RUN --mount=type=cache,target=/var/lib/apt --mount=type=cache,target=/var/cache/apt apt-get update",
    "FROM debian:12.8 AS build\nRUN apt-get update && apt-get install -y curl\nFROM scratch\nCOPY --from=build /a /a",
    "RUN apt update && apt install -y curl=7.88.* && rm -rf /var/lib/apt/lists/*",
    "RUN apk add curl",
    "RUN apk add --no-cache curl",
    "RUN apk add --no-cache curl=8.10.1-r0",
    "RUN apk add --no-cache 'curl~=8.10'",
    "RUN apk add --no-cache --virtual .build gcc=14.2.0-r4",
    "RUN apk add --no-cache -t .build gcc",
    "RUN --mount=type=cache,target=/var/cache/apk apk add curl=8.10.1-r0",
    "RUN yum install nginx",
    "RUN yum install -y nginx-1.26.2 && yum clean all",
    "RUN yum install -y nginx && rm -rf /var/cache/yum/*",
    "RUN dnf install nginx",
    "RUN dnf install -y nginx-1.26.2 && dnf clean all",
    "RUN microdnf install -y tar && microdnf clean all",
    "RUN zypper install nginx",
    "RUN zypper install -y nginx=1.26 && zypper clean",
    "RUN zypper --non-interactive install nginx=1.26 && zypper clean",
    "RUN zypper dup -y && zypper clean",
    "RUN pip install flask",
    "RUN pip install --no-cache-dir flask==3.1.0",
    "RUN pip install --no-cache-dir -r requirements.txt",
    "RUN pip install --no-cache-dir .",
    "RUN pip install --no-cache-dir 'uvicorn[standard]==0.32.0'",
    "RUN pip install --no-cache-dir 'flask~=3.0'",
    "RUN pip install --no-cache-dir git+https://example.com/a.git@v1",
    "RUN pip install --no-cache-dir --upgrade pip",
    "RUN python3 -m pip install --no-cache-dir flask",
    "RUN pip install --no-cache-dir 'flask>=3'",
    "RUN pip install --no-cache-dir -c constraints.txt flask",
    "ENV PIP_NO_CACHE_DIR=1\nRUN pip install flask==3.1.0",
    "RUN --mount=type=cache,target=/root/.cache/pip pip install flask==3.1.0",
    "RUN npm install -g typescript",
    "RUN npm install -g typescript@5.6.3 @acme/tool@1.0.0",
    "RUN npm install express",
    "RUN npm ci",
    "RUN npm install",
    "RUN npm install -g ./tool.tgz",
    "RUN npm install -g @acme/tool",
    "RUN gem install bundler",
    "RUN gem install bundler:2.5.1",
    "RUN gem install bundler --version 2.5.1",
    "RUN go install example.com/tool@latest",
    "RUN go install example.com/tool@v1.4.2",
    "ADD . /srv",
    "ADD a.tar.gz /srv",
    "ADD https://example.com/a.json /srv/",
    "ADD --chown=app a.json /srv/",
    "CMD shop serve",
    'CMD ["shop", "serve"]',
    "ENTRYPOINT shop",
    "CMD exec shop",
    "CMD a\nCMD b",
    'ENTRYPOINT ["a"]\nENTRYPOINT ["b"]',
    'HEALTHCHECK CMD ["a"]\nHEALTHCHECK CMD ["b"]',
    "HEALTHCHECK CMD curl -f http://localhost/",
    'CMD ["a"]\nFROM debian:12.8\nCMD ["b"]',
    "EXPOSE 80 443/tcp",
    "EXPOSE 80000",
    "RUN useradd -u 1234567 app",
    "RUN useradd -l -u 1234567 app",
    "RUN useradd -u 1000 app",
    "RUN curl -fsSL https://example.com/a.tgz | tar -xz",
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl -fsSL https://example.com/a.tgz | tar -xz',
    "RUN set -o pipefail && curl -fsSL https://example.com/a.tgz | tar -xz",
    "RUN curl -fsSL https://example.com/a.sh | sh",
    "RUN echo a | tee b",
    "RUN make && make install",
)


@dataclass(frozen=True)
class Difference:
    """A line that one of the two reports and the other does not, on purpose."""

    subject: str
    line: str
    teller: str
    reason: str


DIFFERENCES = (
    Difference("effect", "COPY a.json b.json .", "hadolint", "BuildKit takes `.` for a folder"),
    Difference("folder", "WORKDIR app", "hadolint", "it goes on from a folder that the stage states"),
    Difference(
        "image",
        "COPY --from=busybox:latest /bin/busybox /bin/",
        "ours",
        "files come from an image of any version here, too",
    ),
    Difference("image", "FROM data AS schema", "ours", "hadolint does not read heredocs, and so nothing of the file"),
    Difference(
        "login record",
        "RUN groupadd -g ${UID} app && useradd -u ${UID} -g app app",
        "hadolint",
        "the default of the argument is a small number",
    ),
    Difference("package version", "RUN <<EOF", "ours", "hadolint does not read heredocs"),
    Difference("pipe", "RUN <<EOF", "ours", "hadolint does not read heredocs"),
    Difference(
        "pipe",
        'RUN echo "root:changeme" | chpasswd',
        "hadolint",
        "nothing that can fail stands in front of the pipe; another rule tells the password",
    ),
    Difference("pipe", "RUN echo a | tee b", "hadolint", "nothing that can fail stands in front of the pipe"),
    Difference(
        "pipe",
        "RUN set -o pipefail && curl -fsSL https://example.com/a.tgz | tar -xz",
        "hadolint",
        "the script sets pipefail itself",
    ),
    Difference(
        "recommended",
        "RUN apt update && apt install -y curl=7.88.* && rm -rf /var/lib/apt/lists/*",
        "ours",
        "apt brings recommended packages along as apt-get does",
    ),
    Difference(
        "recommended",
        "RUN apt-get update && apt-get install -y curl",
        "hadolint",
        "the stage is left behind, and its packages with it",
    ),
    Difference("root", "USER root", "hadolint", "the stage is left behind, and its user with it"),
    Difference("signal", "CMD exec shop", "hadolint", "the shell steps aside for the application"),
    Difference("signal", "HEALTHCHECK CMD curl -f http://localhost/", "hadolint", "a check is not told to stop"),
    Difference(
        "sudo", "RUN apt-get update && apt-get install -y cron sudo", "ours", "who installs sudo wants to use it"
    ),
    Difference(
        "tool version", "RUN pip install --no-cache-dir 'flask>=3'", "ours", "a least version is not a stated one"
    ),
    Difference(
        "tool version",
        "RUN cargo install cargo-chef --locked",
        "ours",
        "hadolint does not know cargo; `--locked` is about what the tool needs",
    ),
    Difference(
        "upgrade",
        "RUN apt-get update && apt-get -y upgrade && apt-get install -y python3-pip wget",
        "ours",
        "hadolint tells only zypper",
    ),
    Difference(
        "upgrade",
        "RUN yum update -y && yum install -y java-1.8.0-openjdk && yum clean all",
        "ours",
        "hadolint tells only zypper",
    ),
)


def ours(files: dict[str, str], plugins: Plugins, rulebook: Rulebook) -> set[tuple[str, str, int]]:
    """Subject, file and first line of the instruction of each finding."""
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    report = scan(tree, sorted(files), plugins, rulebook, Settings())
    subjects = {rule: subject for subject, (_, rules) in SUBJECTS.items() for rule in rules}
    starts = {
        path: sorted({each.location.span.start_line for each in load(text).resources}) for path, text in files.items()
    }
    return {
        (
            subjects[finding.rule.id],
            finding.location.path,
            max(line for line in starts[finding.location.path] if line <= finding.location.span.start_line),
        )
        for finding in report.findings
        # An image without any USER runs as root as well, which hadolint does not tell.
        if finding.outcome is Outcome.FAIL
        and finding.rule.id in subjects
        and (finding.rule.id != "container-runs-as-non-root" or finding.snippet.lstrip().startswith("USER"))
    }


def theirs(files: dict[str, str], folder: Path) -> set[tuple[str, str, int]]:
    assert HADOLINT is not None
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    command = [HADOLINT, "--no-fail", "--disable-ignore-pragma", "--format", "json", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=300)
    codes = {code: subject for subject, (codes, _) in SUBJECTS.items() for code in codes}
    return {
        (codes[each["code"]], each["file"], each["line"]) for each in json.loads(done.stdout) if each["code"] in codes
    }


def whole(sample: str) -> str:
    return (sample if sample.startswith(("FROM", "ARG TAG")) else f"FROM debian:12.8\n{sample}") + "\n"


FILES = {f"sample/{index}/Dockerfile": whole(sample) for index, sample in enumerate(SAMPLES)} | {
    f"corpus/{path.relative_to(CORPUS).as_posix()}": path.read_text(encoding="utf-8")
    for path in sorted(CORPUS.rglob("*ockerfile*"))
    if path.is_file() and "broken" not in path.parts
}


@pytest.fixture(scope="module")
def differences(
    plugins: Plugins, rulebook: Rulebook, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[tuple[str, str, str]]]:
    """For each file the subjects and lines that one alone tells: (subject, line, teller)."""
    mine, its = ours(FILES, plugins, rulebook), theirs(FILES, tmp_path_factory.mktemp("hadolint"))
    found: dict[str, set[tuple[str, str, str]]] = {path: set() for path in FILES}
    for teller, told in (("ours", mine - its), ("hadolint", its - mine)):
        for subject, path, line in told:
            found[path].add((subject, FILES[path].splitlines()[line - 1], teller))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.replace("\n", " "))
def test_each_line_is_told_by_both_or_there_is_a_reason(
    path: str, differences: dict[str, set[tuple[str, str, str]]]
) -> None:
    assert differences[path] <= {(each.subject, each.line, each.teller) for each in DIFFERENCES}


def test_each_reason_is_still_needed(differences: dict[str, set[tuple[str, str, str]]]) -> None:
    found = set().union(*differences.values())
    assert {(each.subject, each.line, each.teller) for each in DIFFERENCES} <= found


def test_each_subject_is_told_by_both_somewhere(plugins: Plugins, rulebook: Rulebook, tmp_path: Path) -> None:
    both = ours(FILES, plugins, rulebook) & theirs(FILES, tmp_path)
    assert {subject for subject, _, _ in both} == set(SUBJECTS)
