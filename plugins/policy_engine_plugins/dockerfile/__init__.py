"""Dockerfiles and Containerfiles.

Resource types and what their values hold:

dockerfile   `syntax`, `escape`, `stages` (the values below), `args` (those before the first FROM)
stage        `name` (absent where it has none), `index`, `final` (what a plain build gives), `shipped` (final, or what
             the final one builds on), `image` (see `image.py`; of a stage that builds on another one, that one's),
             `base` (name of that other stage), `platform`; and, as the image comes out at its end: `user` and `group`
             (absent: root, as an official image without USER runs), `workdir`, `env`, `labels`, `shell`, `healthcheck`,
             `exposed` ({port, protocol}), `volumes`, `entrypoint`, `cmd`, `stopsignal`; `instructions` (their names in
             order)
from run copy add env arg label user workdir expose volume shell cmd entrypoint healthcheck stopsignal maintainer
             one for each instruction: `text` (what is written behind its name), `flags`, `stage` (the value above),
             `user` (in force there), `onbuild` (true where it runs in another build), and

  from         `image` (`image.stage` names a stage that it builds on), `name`, `platform`
  run          `form` (shell or exec), `argv` (of exec), `mounts`, `network`, `security`, `heredocs`, `commands`,
               `programs`
  cmd entrypoint healthcheck   `form`, `argv`, `commands`, `programs`; healthcheck: `none`
  copy add     `sources`, `destination`, `heredocs`, `from` (as written), `stage_from` or `image` (what that names),
               `chown`, `chmod`, `checksum`, `link`, `from_base` (whether the destination goes on from the folder of
               the base image), `context_filtered` (of one that takes the whole folder of the build: whether there is a
               `.dockerignore`)
  env label arg   `variables`, `names`; arg: `global` where it stands before the first FROM
  user         `user`, `group`;  expose `ports` ({port, protocol});  volume `paths`
  workdir      `path`, `from_base` (whether it goes on from the folder of the base image)
  shell        `argv`;  stopsignal `signal`;  maintainer `name`

`script` is the text that the shell gets, heredocs included (or the words of the exec form in one line);
`commands` is what `policy_engine.shell` makes of it, read only when a rule asks; `programs` holds each name in
it, under that name.

A build argument counts with its default, as in a plain `docker build` and as Terraform's variables do; a finding on it
names the default as a related place. Without a default it is unknown. A variable that nothing sets may be set by the
base image, so it is unknown too, but in a stage from `scratch` it is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.check import Check
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from policy_engine.check import Context, Doubt, Violation
    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit

NAMES = ("Dockerfile", "dockerfile", "Containerfile", "containerfile")
_PREFIXES = tuple(name + sign for name in NAMES for sign in ".-")
_ENDINGS = (".Dockerfile", ".dockerfile", ".Containerfile", ".containerfile")
# What is about a Dockerfile, or becomes one, but is none.
_OTHERS = (
    *(".dockerignore", ".containerignore", ".md", ".rst", ".adoc", ".txt", ".html", ".json", ".yaml", ".yml", ".toml"),
    *(".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template", ".erb", ".in", ".mustache", ".gotmpl", ".m4", ".hbs"),
    *(".py", ".js", ".ts", ".go", ".rb", ".java", ".sh", ".ps1", ".lock", ".diff", ".patch", ".swp"),
)


class DockerfileFormat(Format):
    name = "dockerfile"
    title = "Dockerfile"
    resource_types = (
        *("dockerfile", "stage", "from", "run", "copy", "add", "env", "arg", "label", "user", "workdir", "expose"),
        *("volume", "shell", "cmd", "entrypoint", "healthcheck", "stopsignal", "maintainer"),
    )
    example_path = "Dockerfile"

    def claims(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if name in NAMES:
            return True
        return (name.startswith(_PREFIXES) or name.endswith(_ENDINGS)) and not name.lower().endswith(_OTHERS)

    def knows_by_name(self, path: str) -> bool:
        return path.rpartition("/")[2] in NAMES

    def recognises(self, path: str, data: bytes) -> bool:
        if self.knows_by_name(path):
            return True
        from policy_engine_plugins.dockerfile.recognition import recognises

        return recognises(data)

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.dockerfile.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine_plugins.dockerfile.lexical import comments

        return comments(data, path)


@hookimpl
def register_formats() -> list[Format]:
    return [DockerfileFormat()]


def _only_once(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterable[Violation | Doubt]:
    from policy_engine_plugins.dockerfile.checks import only_once

    return only_once(value, parameters, context)


def _name_is_new(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterable[Violation | Doubt]:
    from policy_engine_plugins.dockerfile.checks import name_is_new

    return name_is_new(value, parameters, context)


def _stage_is_built(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterable[Violation | Doubt]:
    from policy_engine_plugins.dockerfile.checks import stage_is_built

    return stage_is_built(value, parameters, context)


def _image_is_complete(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterable[Violation | Doubt]:
    from policy_engine_plugins.dockerfile.checks import image_is_complete

    return image_is_complete(value, parameters, context)


@hookimpl
def register_checks() -> list[Check]:
    nothing = {"type": "object", "additionalProperties": False}
    return [
        Check(
            "dockerfile-only-once",
            _only_once,
            nothing,
            "no instruction of the same kind stands before this one in its stage",
        ),
        Check("dockerfile-image-complete", _image_is_complete, nothing, "no part of the image's name is missing"),
        Check("dockerfile-stage-name-new", _name_is_new, nothing, "no stage before has the name of this one"),
        Check(
            "dockerfile-stage-built-before",
            _stage_is_built,
            nothing,
            "what `--from` names is not the stage that it stands in, nor one that comes later",
        ),
    ]
