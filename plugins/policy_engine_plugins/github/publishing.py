"""Steps that publish packages, and what they prove themselves with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.github.checks import Wanted, reaches
from policy_engine_plugins.github.script_checks import held_by_environment

# Program, first operands, and the variables that it takes a stored token from.
_PUBLISHING: Mapping[str, Sequence[tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "twine": [(("upload",), ("TWINE_PASSWORD",))],
    "uv": [(("publish",), ("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"))],
    "poetry": [(("publish",), ("POETRY_PYPI_TOKEN_PYPI", "POETRY_HTTP_BASIC_PYPI_PASSWORD"))],
    "hatch": [(("publish",), ("HATCH_INDEX_AUTH",))],
    "flit": [(("publish",), ("FLIT_PASSWORD",))],
    "pdm": [(("publish",), ("PDM_PUBLISH_PASSWORD",))],
    "maturin": [(("publish",), ("MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD")), (("upload",), ("MATURIN_PYPI_TOKEN",))],
    "npm": [(("publish",), ("NODE_AUTH_TOKEN", "NPM_TOKEN", "NPM_CONFIG_TOKEN"))],
    "pnpm": [(("publish",), ("NODE_AUTH_TOKEN", "NPM_TOKEN"))],
    "bun": [(("publish",), ("NPM_CONFIG_TOKEN", "NODE_AUTH_TOKEN"))],
    "yarn": [(("npm", "publish"), ("YARN_NPM_AUTH_TOKEN",)), (("publish",), ("NODE_AUTH_TOKEN", "NPM_TOKEN"))],
    "cargo": [(("publish",), ("CARGO_REGISTRY_TOKEN",))],
    "gem": [(("push",), ("GEM_HOST_API_KEY", "RUBYGEMS_API_KEY"))],
    "dotnet": [(("nuget", "push"), ())],
}
# Action, its input for a stored token, and its input for another registry.
_ACTIONS = {
    "pypa/gh-action-pypi-publish": ("password", ("repository-url", "repository_url")),
    "js-devtools/npm-publish": ("token", ("registry",)),
    "katyo/publish-crates": ("registry-token", ()),
}
PUBLISHERS = frozenset(
    {
        "pypa/gh-action-pypi-publish",
        "softprops/action-gh-release",
        "ncipollo/release-action",
        "svenstaro/upload-release-action",
        "goreleaser/goreleaser-action",
        "rubygems/release-gem",
        "js-devtools/npm-publish",
        "changesets/action",
        "cycjimmy/semantic-release-action",
        "katyo/publish-crates",
        "helm/chart-releaser-action",
        "actions/create-release",
        "redhat-actions/push-to-registry",
    }
)
"""Actions that publish packages or releases."""
_PUBLIC = ("https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/", "https://registry.npmjs.org")
_OTHER_REGISTRY = (
    "--repository",
    "--repository-url",
    "--registry",
    "-r",
    "--publish-url",
    "--index",
    "--host",
    "--repo",
)
_REGISTRY_VARIABLES = (
    "TWINE_REPOSITORY",
    "TWINE_REPOSITORY_URL",
    "UV_PUBLISH_URL",
    "NPM_CONFIG_REGISTRY",
    "RUBYGEMS_HOST",
)
_STORED = Wanted(("secrets.*",), ("secrets.github_token",))


def publishing_commands(step: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any], Sequence[str]]]:
    """The commands of a step that publish a package: number, command, and the variables it takes a token from."""
    commands = step.get("commands")
    for number, command in enumerate(commands if isinstance(commands, list) else ()):
        if isinstance(command, Unknown) or not isinstance(command["name"], str):
            continue
        for operands, variables in _PUBLISHING.get(command["name"], ()):
            if tuple(command["operands"][: len(operands)]) == operands and "--dry-run" not in command["options"]:
                yield number, command, variables
                break


def publishes_with_token(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation where a package is published to a public registry with a token from the repository's secrets."""
    action = step.get("action")
    if isinstance(action, dict) and action["kind"] == "repository":
        yield from _by_action(step, str(action["name"]).lower())
    if "run" not in step:
        return
    names = held_by_environment(step, _STORED)
    commands = step.get("commands")
    known = {variable for kinds in _PUBLISHING.values() for _, variables in kinds for variable in variables}
    if isinstance(commands, Unknown) and known & set(names):
        yield Doubt(commands, ("commands",))
    if not names or _uses_other_registry(step):
        return
    for number, command, variables in publishing_commands(step):
        name = next((variable for variable in variables if variable in names), None)
        if name is not None and not any(option.partition("=")[0] in _OTHER_REGISTRY for option in _texts(command)):
            yield Violation(("commands", number), names[name])


def _texts(command: Mapping[str, Any]) -> list[str]:
    return [option for option in command["options"] if isinstance(option, str)]


def _uses_other_registry(step: Mapping[str, Any]) -> bool:
    """Whether a variable, or the set-up of Node.js before it, names a registry of one's own."""
    for scope in (step.get("workflow", {}), step.get("job", {}), step):
        env = scope.get("env")
        if isinstance(env, dict) and any(name in env for name in _REGISTRY_VARIABLES):
            return True
    for other in step.get("job", {}).get("steps", ()):
        inputs = other.get("with")
        registry = inputs.get("registry-url") if isinstance(inputs, dict) else None
        if registry is not None and not str(registry).rstrip("/").startswith("https://registry.npmjs.org"):
            return True
    return False


def _by_action(step: Mapping[str, Any], name: str) -> Iterator[Violation | Doubt]:
    if name not in _ACTIONS:
        return
    token, registries = _ACTIONS[name]
    inputs = step.get("with")
    for registry in registries:
        given = inputs.get(registry) if isinstance(inputs, dict) else None
        if given is not None and (
            isinstance(given, Unknown) or str(given).rstrip("/") not in [p.rstrip("/") for p in _PUBLIC]
        ):
            return
    yield from reaches(step, [f"with.{token}"], _STORED, "flows")
