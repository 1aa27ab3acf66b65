"""What a scan meets, and what it leaves out by which line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from policy_engine.discovery import discover, find_root
from policy_engine.errors import ConfigError
from policy_engine.settings import Exclude
from policy_engine.tree import FileTooLarge, WorkTree, join


def lay_out(root: Path, *files: str) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def left_out(root: Path, *excludes: str) -> dict[str, str]:
    found = discover(str(root), [str(root)], [Exclude(each, f"settings:{n}") for n, each in enumerate(excludes, 1)])
    return {entry.path: entry.detail for entry in found.left_out}


def test_files_are_found_sorted_and_relative(tmp_path: Path) -> None:
    lay_out(tmp_path, "b.tf", "a/z.tf", "a/b.tf", ".git/config")
    assert list(discover(str(tmp_path), [str(tmp_path)]).paths) == ["a/b.tf", "a/z.tf", "b.tf"]


def test_gitignore_leaves_out_and_names_its_line(tmp_path: Path) -> None:
    lay_out(tmp_path, "keep.tf", "drop.tf", "sub/drop.tf", "sub/own.tf", "build/x.tf")
    (tmp_path / ".gitignore").write_text("# comment\n\ndrop.tf\nbuild/\n")
    (tmp_path / "sub/.gitignore").write_text("own.tf\n!drop.tf\n")
    found = discover(str(tmp_path), [str(tmp_path)])
    assert list(found.paths) == [".gitignore", "keep.tf", "sub/.gitignore", "sub/drop.tf"]
    assert left_out(tmp_path) == {
        "build/": ".gitignore:4",
        "drop.tf": ".gitignore:3",
        "sub/own.tf": "sub/.gitignore:1",
    }


def test_a_folder_below_an_ignore_file_obeys_it(tmp_path: Path) -> None:
    lay_out(tmp_path, "sub/a.log", "sub/a.tf")
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert list(discover(str(tmp_path), [str(tmp_path / "sub")]).paths) == ["sub/a.tf"]


def test_a_named_file_is_taken_though_ignored_but_not_though_excluded(tmp_path: Path) -> None:
    lay_out(tmp_path, "a.tf", "b.tf")
    (tmp_path / ".gitignore").write_text("*.tf\n")
    found = discover(str(tmp_path), [str(tmp_path / "a.tf"), str(tmp_path / "b.tf")], [Exclude("b.tf", "settings:1")])
    assert list(found.paths) == ["a.tf"]
    assert found.left_out[0].detail == "settings:1"


def test_fetched_folders_are_told_as_left_out(tmp_path: Path) -> None:
    lay_out(tmp_path, "node_modules/x/a.tf", ".terraform/modules/a.tf")
    assert left_out(tmp_path) == {
        ".terraform/": "a folder of fetched or generated files",
        "node_modules/": "a folder of fetched or generated files",
    }


def test_symbolic_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    lay_out(root, "a.tf")
    (tmp_path / "secret").write_text("outside")
    (root / "link.tf").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.tf")
    assert left_out(root) == {
        "link.tf": "a symbolic link, not followed",
        "loop": "a symbolic link, not followed",
        "pipe.tf": "not a regular file",
    }


def test_deeply_nested_folders_do_not_break_the_walk(tmp_path: Path) -> None:
    depth, here = 1200, os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        assert discover(str(tmp_path), [str(tmp_path)]).paths == []
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)  # Deeper than Python's own removal goes.


def test_missing_and_outside_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        discover(str(tmp_path), [str(tmp_path / "nothing")])
    with pytest.raises(ConfigError, match="lies outside the root"):
        discover(str(tmp_path), ["/"])


def test_the_root_is_the_repository(tmp_path: Path) -> None:
    lay_out(tmp_path, ".git/HEAD", "a/b/c.tf")
    assert find_root(str(tmp_path / "a/b")) == str(tmp_path.resolve())


def test_a_tree_reads_nothing_outside_itself(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    lay_out(root, "a.tf")
    (tmp_path / "secret").write_text("outside")
    (root / "link").symlink_to(tmp_path / "secret")
    tree = WorkTree(str(root))
    assert tree.read("a.tf") == b"a.tf"
    for path in ("../secret", "link", "/etc/passwd"):
        with pytest.raises(FileNotFoundError):
            tree.read(path)
    assert not tree.is_file("../secret")
    assert tree.list("..") == []


def test_a_tree_does_not_read_huge_files(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 101)
    with pytest.raises(FileTooLarge):
        WorkTree(str(tmp_path), max_file_bytes=100).read("big")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs files that do not say how large they are")
def test_a_file_that_does_not_say_its_size_is_read_to_its_end() -> None:
    assert os.stat("/proc/self/status").st_size == 0
    assert b"Threads:" in WorkTree("/proc/self").read("status")
    assert WorkTree("/dev").read("null") == b""
    with pytest.raises(FileTooLarge):
        WorkTree("/proc/self", max_file_bytes=10).read("status")
    with pytest.raises(FileTooLarge):
        WorkTree("/dev", max_file_bytes=100).read("zero")


@pytest.mark.parametrize(
    ("folder", "name", "expected"),
    [("a/b", "../c", "a/c"), ("a", "../..", None), ("", "./x//y", "x/y"), ("a", "/etc", None), ("a", "C:/x", None)],
)
def test_joined_paths_stay_inside(folder: str, name: str, expected: str | None) -> None:
    assert join(folder, name) == expected


def test_a_file_of_some_ten_megabytes_is_read_unless_the_settings_say_less(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 14_000_000)
    (tmp_path / "larger").write_bytes(b"x" * (32 * 1024 * 1024 + 1))
    tree = WorkTree(str(tmp_path))
    assert len(tree.read("large")) == 14_000_000
    with pytest.raises(FileTooLarge, match="larger than 33554432 bytes"):
        tree.read("larger")


def test_a_file_as_large_as_is_allowed_is_read(tmp_path: Path) -> None:
    (tmp_path / "just").write_bytes(b"x" * 100)
    (tmp_path / "empty").touch()
    tree = WorkTree(str(tmp_path), max_file_bytes=100)
    assert tree.read("just") == b"x" * 100
    assert tree.read("empty") == b""


def test_a_link_is_followed_as_long_as_it_stays_inside(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    lay_out(root, "a/b.tf")
    (tmp_path / "secret").write_text("outside")
    (root / "link.tf").symlink_to("a/b.tf")
    (root / "folder").symlink_to("a")
    (root / "chain").symlink_to("out")
    (root / "out").symlink_to("../secret")
    (root / "nowhere").symlink_to("missing")
    (root / "round").symlink_to("round")
    tree = WorkTree(str(root))
    assert tree.read("link.tf") == tree.read("folder/b.tf") == b"a/b.tf"
    for path in ("chain", "out", "nowhere", "folder/missing"):
        with pytest.raises(FileNotFoundError):
            tree.read(path)
    for path in ("round", "a"):
        with pytest.raises(OSError, match=path):
            tree.read(path)
