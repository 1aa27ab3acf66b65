"""Where findings point: to the file and line where a value is written, whatever it was merged into."""

from __future__ import annotations

import pytest

from compose_reading import cut, resources

FILES = {
    "compose.yaml": """\
x-base: &base
  restart: always
  privileged: true
services:
  web:
    <<: *base
    image: "web:${TAG:-1}"
    ports: ["80:80", "127.0.0.1:81:81"]
    volumes:
      - ./a:/a
      - type: bind
        source: /etc
        target: /e
    environment:
      - MODE=x
      - "KEY=y"
    command: run --fast
    build: .
    healthcheck:
      test: curl x
  db:
    extends: {file: common/db.yaml, service: pg}
    user: "5"
volumes:
  data: {driver: local}
""",
    "compose.override.yaml": """\
services:
  web:
    ports:
      - "82:82"
    environment: {KEY: z}
    cap_add: [NET_ADMIN]
""",
    "common/db.yaml": """\
services:
  pg:
    image: postgres:16
    environment:
      A: b
""",
}


@pytest.mark.parametrize(
    ("address", "path", "file", "text"),
    [
        ("service/web", (), "compose.yaml", "web"),
        ("service/web", ("image",), "compose.yaml", 'image: "web:${TAG:-1}"'),
        ("service/web", ("privileged",), "compose.yaml", "privileged: true"),
        ("service/web", ("read_only",), "compose.yaml", "web"),
        ("service/web", ("ports", 1, "host_ip"), "compose.yaml", '"127.0.0.1:81:81"'),
        ("service/web", ("ports", 2), "compose.override.yaml", '"82:82"'),
        ("service/web", ("volumes", 0, "source"), "compose.yaml", "./a:/a"),
        ("service/web", ("volumes", 1, "source"), "compose.yaml", "source: /etc"),
        ("service/web", ("environment", "MODE"), "compose.yaml", "MODE=x"),
        ("service/web", ("environment", "KEY"), "compose.override.yaml", "KEY: z"),
        ("service/web", ("written", "KEY"), "compose.override.yaml", "KEY: z"),
        ("service/web", ("cap_add", 0), "compose.override.yaml", "NET_ADMIN"),
        ("service/web", ("command", 1), "compose.yaml", "command: run --fast"),
        ("service/web", ("build", "context"), "compose.yaml", "build: ."),
        ("service/web", ("healthcheck", "test", 0), "compose.yaml", "test: curl x"),
        ("service/db", ("image",), "common/db.yaml", "image: postgres:16"),
        ("service/db", ("environment", "A"), "common/db.yaml", "A: b"),
        ("service/db", ("user",), "compose.yaml", 'user: "5"'),
        ("volume/data", ("driver",), "compose.yaml", "driver: local"),
    ],
)
def test_an_attribute_is_shown_where_it_is_written(
    address: str, path: tuple[str | int, ...], file: str, text: str
) -> None:
    place = resources(FILES)[address].locate(path).location
    assert (place.path, cut(FILES, place)) == (file, text)


def test_what_comes_from_elsewhere_names_the_service_that_uses_it() -> None:
    trace = resources(FILES)["service/db"].locate(("image",))
    ((place, phrase),) = trace.related
    assert (place.path, cut(FILES, place), phrase) == ("compose.yaml", "db", "service 'db' uses it")
    assert resources(FILES)["service/db"].locate(("user",)).related == ()


def test_every_place_of_every_value_is_in_its_file() -> None:
    for resource in resources(FILES).values():
        waiting: list[tuple[tuple[str | int, ...], object]] = [((), resource.value)]
        while waiting:
            path, value = waiting.pop()
            if path[:1] == ("project",):
                continue
            assert cut(FILES, resource.locate(path).location)
            if isinstance(value, dict):
                waiting += [((*path, key), item) for key, item in value.items()]
            elif isinstance(value, list):
                waiting += [((*path, index), item) for index, item in enumerate(value)]
