"""git is asked side by side, and none of its processes is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from policy_engine.errors import ConfigError
from policy_engine.revision import Revision
from test_base import OPEN, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.commit(main=OPEN % "old")
    project.tag_base()
    return project


def nobody_is_left_behind() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_what_is_looked_for_ahead_is_what_is_found_otherwise(project: Project) -> None:
    project.commit(main=OPEN % "changed", other=OPEN % "added")
    with Revision(str(project.folder), "base") as plain, Revision(str(project.folder), "base") as ahead:
        ahead.begin_comparing()
        assert ahead.changes() == plain.changes()
        assert ahead.changes().modified == {"main.tf"}
        assert ahead.changes().added == {"other.tf"}
    assert nobody_is_left_behind()


def test_what_is_looked_for_and_not_asked_for_is_given_up(project: Project) -> None:
    with Revision(str(project.folder), "base") as revision:
        revision.begin_comparing()
        revision.read("main.tf")
    assert nobody_is_left_behind()


@pytest.mark.parametrize("name", ["gone", "--all", "main..base"])
def test_a_revision_that_is_not_known_leaves_nothing_running(project: Project, name: str) -> None:
    with pytest.raises(ConfigError, match="is not known here"):
        Revision(str(project.folder), name)
    assert nobody_is_left_behind()


def test_a_folder_without_a_repository_leaves_nothing_running(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is in no git repository"):
        Revision(str(tmp_path), "main")
    assert nobody_is_left_behind()
