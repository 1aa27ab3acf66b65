"""What a change needs to know of the files that it does not touch, and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from policy_engine.comparison import Gathered, gather, units_of
from policy_engine.format import Format
from policy_engine.tree import MemoryTree, Tree
from policy_engine.unit import Unit


class CountingTree(MemoryTree):
    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.reads: Counter[str] = Counter()

    def read(self, path: str) -> bytes:
        self.reads[path] += 1
        return super().read(path)


class Folders(Format):
    """Groups the files of a folder that hold its own name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[Sequence[str]] = []

    def claims(self, path: str) -> bool:
        return path.endswith(".txt")

    def recognises(self, path: str, data: bytes) -> bool:
        return self.name.encode() in data

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        self.asked.append(list(paths))
        for folder in sorted({path.rpartition("/")[0] for path in paths}):
            yield Unit(self.name, folder, tuple(path for path in paths if path.rpartition("/")[0] == folder))


FILES = {"a/1.txt": b"red", "a/2.txt": b"red green", "b/3.txt": b"red", "b/4.md": b"red"}


def sides(formats: Sequence[Format], before: Tree, now: Tree, changed: str) -> tuple[Gathered, Gathered]:
    touched = frozenset({changed})
    one = gather(now, sorted(FILES), touched, touched, formats)
    return one, gather(before, sorted(FILES), touched, touched, formats, one)


def test_units_of_a_changed_file_are_gathered_with_their_unchanged_files() -> None:
    formats = [Folders("red"), Folders("green"), Folders("blue")]
    now = MemoryTree({**FILES, "a/1.txt": b"green"})
    side, other = sides(formats, MemoryTree(FILES), now, "a/1.txt")
    touched = side.touched | other.touched
    assert units_of(side, touched) == [Unit("red", "a", ("a/2.txt",)), Unit("green", "a", ("a/1.txt", "a/2.txt"))]
    assert units_of(other, touched) == [Unit("red", "a", ("a/1.txt", "a/2.txt")), Unit("green", "a", ("a/2.txt",))]


def test_an_unchanged_file_is_read_once_for_all_formats_and_both_sides() -> None:
    before, now = CountingTree(FILES), CountingTree(FILES)
    sides([Folders("red"), Folders("green")], before, now, "a/1.txt")
    assert before.reads == {"a/1.txt": 1}
    assert now.reads == {"a/1.txt": 1, "a/2.txt": 1, "b/3.txt": 1}


def test_a_format_that_meets_no_file_is_not_asked_to_group_any() -> None:
    blue = Folders("blue")
    sides([blue], MemoryTree(FILES), MemoryTree(FILES), "a/1.txt")
    assert blue.asked == []


def test_an_unchanged_file_that_cannot_be_read_belongs_to_nobody() -> None:
    red, tree = Folders("red"), MemoryTree({path: data for path, data in FILES.items() if path != "b/3.txt"})
    side = gather(tree, sorted(FILES), frozenset({"a/1.txt"}), frozenset({"a/1.txt"}), [red])
    assert side.claimed == {"red": ["a/2.txt"]}
    assert side.problems == []


class Reaching(Folders):
    """Says of a folder that mentions `above` that it may read anything."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told: list[str] = []

    def reads_beyond(self, unit: Unit, tree: Tree) -> bool:
        self.told.append(unit.name)
        return any(b"above" in tree.read(path) for path in unit.paths)


def test_what_a_unit_reads_beyond_its_files_is_asked_once_where_they_have_not_changed() -> None:
    red = Reaching("red")
    files = {"a/1.txt": b"red", "b/2.txt": b"red above", "c/3.txt": b"red"}
    changed = frozenset({"a/1.txt"})
    now = gather(MemoryTree({**files, "a/1.txt": b"red, too"}), sorted(files), changed, changed, [red])
    before = gather(MemoryTree(files), sorted(files), changed, changed, [red], now)
    assert red.told == ["b", "c"]
    assert now.touched == before.touched == {("red", "a"), ("red", "b")}
