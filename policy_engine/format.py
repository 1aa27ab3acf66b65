"""The contract of an input format plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from policy_engine.project import Project
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit

if TYPE_CHECKING:
    from policy_engine.option import Option


class Format:
    """Reads one kind of file. Subclass it in a light module and import the parser inside `load`: a run that meets no
    file of the format must not pay for it."""

    name: str
    """What rules' targets say under `format`: `terraform`, `kubernetes`, `github`."""
    title: str
    """What people call it: "Terraform"."""
    resource_types: Sequence[str] | None = None
    """Every type `load` can give, where the set is closed, so that `rules lint` finds misspelt ones; else None."""
    known_types: Sequence[str] = ()
    """Types whose values are always known (names, places, settings): rules about them have no undecided example."""
    example_path: str = ""
    """File name under which a rule example's `code` is laid out: `main.tf`, `.github/workflows/example.yml`."""

    plain_text: bool = False
    """Whether it looks at any text whatever its kind, beside the formats that understand the file. Then it is loaded
    before those, it says only what they do not (see `scan.settle`), and their comments count, not the ones it finds."""

    options: Sequence[Option] = ()
    """What its users may choose."""

    def configured(self, values: Mapping[str, Any]) -> Format:
        """The format, set up with the values of its options, by their names. The format itself stays as it is."""
        raise NotImplementedError

    def claims(self, path: str) -> bool:
        """Whether the name alone makes the file a candidate. Called for every file met: keep it to string methods."""
        raise NotImplementedError

    def knows_by_name(self, path: str) -> bool:
        """Whether the name of a claimed file is enough, so that `recognises` need not see its content."""
        return False

    def recognises(self, path: str, data: bytes) -> bool:
        """Whether the content of a claimed file is this format's. For names that many formats share (`.yaml`).
        A broken file that is meant to be of this format must be recognised, so that it is told."""
        return True

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """Groups claimed and recognised paths into units. Where only some files of a unit are given, the unit holds the
        others too: a file is judged in its context."""
        return [Unit(self.name, path, (path,)) for path in paths]

    def project_units(self, paths: Sequence[str], project: Project, tree: Tree) -> Iterable[Unit]:
        """Units that judge a project as a whole, made from the names of everything in it
        (`Unit(..., project=project)`), beside those that `units` makes. `paths` are the claimed and recognised files.
        Called, even where there are none of these, only when a whole project is scanned: what is not among a few given
        files is not missing."""
        return ()

    def reads_beyond(self, unit: Unit, tree: Tree) -> bool:
        """Whether loading the unit may read files that are neither its own nor below one of their folders, so that any
        change may be a change of it; told from its own files alone. Asked only of formats that group files into
        units."""
        return False

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        """Resources of the unit. A pure function of the bytes `tree` gives. A broken file is a Problem in the result,
        never an exception; one broken part does not hide the others."""
        raise NotImplementedError

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        """The file's comments, from the format's own tokens. Called only for files that mention `policy-engine:`."""
        return ()
