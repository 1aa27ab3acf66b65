"""Shared by all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from policy_engine.plugins import Plugins, load_plugins
from policy_engine.rulebook import Rulebook, load_rulebook

sys.path.insert(0, str(Path(__file__).parent / "engine"))

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own cache, but all share one of the session's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="session")
def rulebook(plugins: Plugins) -> Rulebook:
    from policy_engine import __version__

    return load_rulebook(plugins, __version__)
