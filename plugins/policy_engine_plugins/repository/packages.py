"""Which reader takes which package manager's file."""

from __future__ import annotations

from collections.abc import Callable

from policy_engine.resource import Resource
from policy_engine.unit import Problem
from policy_engine_plugins.repository.names import LOCKS, is_requirements

Read = Callable[[str, bytes], "tuple[list[Resource], list[Problem]]"]


def reader(name: str) -> Read | None:
    """`name` is in lower case. What a reader gives has addresses of its own within the file."""
    read = _reader(name)
    if read is None:
        return None
    from policy_engine_plugins.repository.package import Numbered

    def numbered(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
        found, problems = read(path, data)
        return Numbered()(found), problems

    return numbered


def _reader(name: str) -> Read | None:
    from policy_engine_plugins.repository import jvm, locks, npm, others, python_packages

    if name in LOCKS:
        return locks.load
    if is_requirements(name):
        return python_packages.load_requirements
    readers: dict[str, Read] = {
        "package.json": npm.load_manifest,
        ".npmrc": npm.load_npmrc,
        ".yarnrc": npm.load_yarnrc,
        ".yarnrc.yml": npm.load_yarn_settings,
        "pip.conf": python_packages.load_pip_settings,
        "pip.ini": python_packages.load_pip_settings,
        ".pypirc": python_packages.load_pypirc,
        ".condarc": python_packages.load_condarc,
        "pipfile": python_packages.load_toml,
        "pyproject.toml": python_packages.load_toml,
        "cargo.toml": others.load_cargo,
        "gemfile": others.load_gemfile,
        "composer.json": others.load_composer,
        "auth.json": others.load_composer_credentials,
        "nuget.config": others.load_nuget,
        "pom.xml": jvm.load_maven,
        "settings.xml": jvm.load_maven,
        "build.gradle": jvm.load_gradle,
        "build.gradle.kts": jvm.load_gradle,
        "settings.gradle": jvm.load_gradle,
        "settings.gradle.kts": jvm.load_gradle,
        "gradle-wrapper.properties": jvm.load_wrapper,
        "maven-wrapper.properties": jvm.load_wrapper,
    }
    return readers.get(name)
