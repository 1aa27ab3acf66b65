"""Compose files, merged and normalised as Compose does it.

Resource types: `service`, `network`, `volume`, `secret`, `config`. A service's value holds the keys of the file, its
override and what it extends, in the long form whatever was written:

ports        {target, published, host_ip, protocol}     volumes   {type, source, target, read_only, bind}
devices      {source, target, permissions}              secrets, configs   {source, target}
build        {context, dockerfile, args ...}            depends_on, networks   mappings
environment, labels, extra_hosts, sysctls   mappings    env_file  {path, required}
command, entrypoint   lists of words                    healthcheck.test   a list that starts with CMD or CMD-SHELL
dns, dns_search, tmpfs, profiles   lists

and beside them `name`, `project` (`name`, `networks`, `volumes`, `secrets` and `configs` of the file), and `written`:
the environment as it is written, where a `${NAME}` is still one. The other types' values are the keys of the file and
`name`.

`${NAME}` is taken from a `.env` beside the file; where that does not have it, its default counts, as a Terraform
variable's does; without one it is unknown. A service with neither `image` nor `build` completes one of another file (it
is meant for `-f a.yaml -f b.yaml`): what it does not say is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit

# In the order in which Compose looks for them.
NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    *("compose.override.yml", "compose.override.yaml"),
    *("docker-compose.override.yml", "docker-compose.override.yaml"),
)
_YAML = (".yaml", ".yml")
_PREFIXES = ("compose.", "compose-", "docker-compose")
_ENDINGS = tuple(f"{sign}{name}{yaml}" for sign in ".-" for name in ("compose", "docker-compose") for yaml in _YAML)


class ComposeFormat(Format):
    name = "compose"
    title = "Compose"
    resource_types = ("service", "network", "volume", "secret", "config")
    example_path = "compose.yaml"

    def claims(self, path: str) -> bool:
        if not path.endswith(_YAML):
            return False
        name = path.rpartition("/")[2]
        return name.startswith(_PREFIXES) or name.endswith(_ENDINGS)

    def recognises(self, path: str, data: bytes) -> bool:
        from policy_engine_plugins.compose.recognition import recognises

        return recognises(data)

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """A file with its override, with what both extend and include, and with the `.env` beside it."""
        from policy_engine_plugins.compose.grouping import units

        return units(paths, tree, self)

    def reads_beyond(self, unit: Unit, tree: Tree) -> bool:
        # Every file that loading reads is one of the unit's own.
        return False

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.compose.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        if not path.endswith(_YAML):
            return ()
        from policy_engine.yaml_document import comments

        return comments(data, path)


@hookimpl
def register_formats() -> list[Format]:
    return [ComposeFormat()]
