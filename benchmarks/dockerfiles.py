"""Measures Dockerfiles and Compose files: 200 generated of each, against Checkov and hadolint where they are given.

python benchmarks/dockerfiles.py --checkov PATH/TO/bin/checkov --hadolint PATH/TO/hadolint
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from run import compare, scan_command, seconds

FILES = 200

NODE = """\
# syntax=docker/dockerfile:1
ARG NODE_VERSION=22.11
FROM node:${{NODE_VERSION}}-alpine AS deps
WORKDIR /srv/app-{n}
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \\
    npm ci --omit=dev

FROM deps AS build
COPY . .
RUN npm run build && npm prune

FROM node:${{NODE_VERSION}}-alpine
ENV NODE_ENV=production \\
    PORT=80{p:02d}
WORKDIR /srv/app-{n}
COPY --from=build --chown=node:node /srv/app-{n}/dist ./dist
USER node
EXPOSE 80{p:02d}
HEALTHCHECK --interval=30s CMD wget -qO- http://localhost:80{p:02d}/ready || exit 1
CMD ["node", "dist/server.js"]
"""

PYTHON = """\
FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
# what the wheels are built with
RUN apt-get update \\
    && apt-get install -y --no-install-recommends \\
       build-essential \\
       libpq-dev \\
       curl \\
    # nothing of it stays
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/service-{n}
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
RUN useradd --system --uid 10{p:02d} app && chown -R app /srv/service-{n}
USER 10{p:02d}
EXPOSE 8000
ENTRYPOINT ["gunicorn", "service_{n}.wsgi", "--bind", "0.0.0.0:8000"]
"""

GO = """\
FROM golang:1.23 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.version=1.{n}" -o /out/tool-{n} ./cmd/tool
FROM debian:12.8-slim
RUN set -eux; \\
    apt-get update; \\
    apt-get install -y --no-install-recommends ca-certificates tzdata; \\
    curl -fsSL https://example.com/tool-{n}.tgz | tar xz -C /opt; \\
    if [ -d /opt/tool ]; then chmod -R g+rX /opt/tool; fi; \\
    rm -rf /var/lib/apt/lists/*
COPY --from=build /out/tool-{n} /usr/local/bin/
CMD ["tool-{n}"]
"""

LEGACY = """\
FROM ubuntu:18.04
MAINTAINER ops@example.com
ENV APP_HOME /opt/legacy-{n}
RUN apt-get update && apt-get install -y openjdk-8-jdk curl sudo wget && apt-get clean
RUN curl -sSL https://example.com/setup-{n}.sh | bash
ADD https://example.com/legacy-{n}.war /opt/legacy-{n}/
RUN chmod -R 777 /opt/legacy-{n} && for f in $(ls /opt/legacy-{n}); do echo "$f"; done
RUN <<EOF
set -e
mkdir -p /etc/legacy
echo "port=80{p:02d}" > /etc/legacy/settings
EOF
EXPOSE 22 80{p:02d}
CMD java -jar /opt/legacy-{n}/legacy-{n}.war
"""

COMPOSE = """\
x-base: &base
  restart: unless-stopped
  logging: {{driver: json-file, options: {{max-size: 10m}}}}
services:
  web:
    <<: *base
    image: registry.example.com/shop-{n}/web:${{TAG:-1.{n}}}
    ports: ["80{p:02d}:8080", "127.0.0.1:90{p:02d}:9090"]
    environment:
      DATABASE_URL: postgres://shop@db/shop_{n}
      SESSION_KEY: ${{SESSION_KEY}}
    volumes: ["./conf:/etc/web:ro", "static:/srv/static"]
    depends_on: [db, cache]
  worker:
    <<: *base
    extends: web
    command: ["worker", "--queue", "q{n}"]
    cap_drop: [ALL]
  db:
    <<: *base
    image: postgres:16.4
    environment: [POSTGRES_DB=shop_{n}, "POSTGRES_PASSWORD=${{DB_PASSWORD}}"]
    volumes: ["data:/var/lib/postgresql/data"]
  cache:
    image: redis:7.4
    privileged: {privileged}
volumes:
  data:
  static:
"""


def dockerfiles(folder: Path) -> list[str]:
    for n in range(FILES):
        template = (NODE, PYTHON, GO, LEGACY)[n % 4]
        path = folder / f"service_{n}" / "Dockerfile"
        path.parent.mkdir()
        path.write_text(template.format(n=n, p=n % 100))
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("Dockerfile"))]


def composefiles(folder: Path) -> None:
    for n in range(FILES):
        path = folder / f"project_{n}" / "docker-compose.yml"
        path.parent.mkdir()
        path.write_text(COMPOSE.format(n=n, p=n % 100, privileged="true" if n % 2 else "false"))


def told(
    what: str, ours: Callable[[], float], theirs: Callable[[], float], name: str, rounds: int, wanted: str
) -> None:
    mine, its = compare(ours, theirs, rounds)
    print(f"{what:<12}{FILES} files: {mine:.2f} s, {name} {its:.2f} s: {its / mine:.1f} times ({wanted})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", help="path of Checkov's program")
    parser.add_argument("--hadolint", help="path of hadolint's program")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "docker"
        folder.mkdir()
        files = dockerfiles(folder)

        def ours() -> float:
            return seconds(scan_command("."), folder)

        if given.checkov:
            command = [given.checkov, "-d", ".", "--framework", "dockerfile", "-o", "sarif", "--quiet", "--compact"]
            told("dockerfile", ours, lambda: seconds(command, folder), "Checkov", given.rounds, "wanted: at least 10")
        if given.hadolint:
            lint = [given.hadolint, "--no-fail", "-f", "sarif", *files]
            told("dockerfile", ours, lambda: seconds(lint, folder), "hadolint", given.rounds, "wanted: at least 1")
        composed = Path(name) / "compose"
        composed.mkdir()
        composefiles(composed)
        times = [seconds(scan_command("."), composed) for _ in range(given.rounds + 1)]
        # Checkov has no checks for Compose files, so there is nothing to compare with.
        print(f"compose     {FILES} files: {min(times):.2f} s")


if __name__ == "__main__":
    main()
