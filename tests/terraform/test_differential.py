"""Two independent readers see the same in our configurations, save for what `differences.yaml` explains.

`@cdktf/hcl2json` is HashiCorp's own parser (syntax); `tfparse` is the Go evaluator of Cloud Custodian (values).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any

import configuration_cases
import hcl2json
import pytest
import yaml
from module_cases import FOLDER, cases, read

from policy_engine.tree import WorkTree
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform import SUFFIXES, TerraformFormat

HERE = Path(__file__).parent
CORPUS = HERE.parent / "corpus" / "terraform"
EXPLAINED: list[dict[str, str]] = yaml.safe_load((HERE / "differences.yaml").read_text(encoding="utf-8"))


def settle(found: Iterator[tuple[str, str, str]], reader: str) -> None:
    """Each difference (case, place, what) has a row in the table, and each row a difference."""
    rows = [row for row in EXPLAINED if row["reader"] == reader]
    used = set()
    open_ones = []
    for case, place, what in found:
        matching = [
            number
            for number, row in enumerate(rows)
            if fnmatchcase(case, _glob(row["case"])) and fnmatchcase(place, _glob(row["place"]))
        ]
        used.update(matching)
        if not matching:
            open_ones.append(f"{case}: {place}: {what}")
    assert not open_ones, "not explained:\n" + "\n".join(open_ones)
    stale = [f"{row['case']}: {row['place']}" for number, row in enumerate(rows) if number not in used]
    assert not stale, "no longer a difference:\n" + "\n".join(stale)


def _glob(pattern: str) -> str:
    return pattern.replace("[", "[[]")  # brackets are part of addresses; `*` stands for any characters


# -- syntax


def sources() -> dict[str, str]:
    """Every native file of the corpus and the module cases, and every expression as a file of its own."""
    corpus = {str(path.relative_to(CORPUS)): path.read_bytes() for path in CORPUS.rglob("*.tf")}
    files = {name: data.decode("utf-8", "replace") for name, data in corpus.items()}
    for case in cases():
        for name, text in read(case)[0].items():
            if name.endswith(".tf"):
                files[f"{case.parent.name}/{case.stem}/{name}"] = text
    for name in configuration_cases.names():
        for path, text in configuration_cases.read(name).sources.items():
            if path.endswith((".tf", ".tofu", ".tfvars")):
                files[f"{name}/{path}"] = text
    lines = (HERE / "expressions.txt").read_text(encoding="utf-8").splitlines()
    for line, result in pairwise(lines):
        if result.startswith("    = "):
            files[f"expressions.txt/{line}"] = f"locals {{\n  x = {line}\n}}\n"
    return files


def unlike(ours: Any, theirs: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            inner = f"{place}.{key}" if place else key
            if key in ours and key in theirs:
                yield from unlike(ours[key], theirs[key], inner)
            else:
                yield inner, "only ours" if key in ours else "only theirs"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from unlike(one, other, f"{place}[{number}]")
    elif ours != theirs or isinstance(ours, bool) is not isinstance(theirs, bool):
        yield place, f"ours {ours!r}, theirs {theirs!r}"


@pytest.mark.skipif(not hcl2json.available(), reason="needs Node.js with npm to run HashiCorp's parser")
def test_hashicorps_parser_reads_the_same(tmp_path: Path) -> None:
    files = sources()
    assert len(files) > 700
    theirs = hcl2json.theirs(files, tmp_path)

    def differences() -> Iterator[tuple[str, str, str]]:
        for name, text in files.items():
            ours = hcl2json.ours(text)
            if "error" in ours or "error" in theirs[name]:
                if ("error" in ours) is not ("error" in theirs[name]):
                    yield name, "error", f"ours {ours.get('error')}, theirs {theirs[name].get('error')}"
                continue
            for place, what in unlike(ours["value"], theirs[name]["value"]):
                yield name, place, what

    settle(differences(), "hcl2json")


# -- values

_MADE_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_META = re.compile(r"(?:count|for_each|provider|depends_on|lifecycle|id)(?:$|[.\[])")


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value inside. tfparse writes a single block without its list, a null or an id of its own making for
    what it does not know, and the text or the parts of an expression it cannot evaluate: those count as not known."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if isinstance(value, dict):
        if "__attribute__" not in value:
            for key, item in value.items():
                if key != "__tfmeta":
                    yield from leaves(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{place}[{number}]")
    elif not (value is None or (isinstance(value, str) and (_MADE_UP.search(value) or "${" in value))):
        yield place, value


def test_tfparse_evaluates_to_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tfparse", reason="tfparse has no wheel for this platform")
    import tfparse_values

    folders = []
    for case in cases():
        name = f"{case.parent.name}/{case.stem}"
        folders.append(name)
        for path, text in read(FOLDER / f"{name}.txt")[0].items():
            place = tmp_path / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    for name in configuration_cases.names():
        case = configuration_cases.read(name)
        folders += [f"{name}/{unit}".removesuffix("/.") for unit in case.expected.get("units", ["."])]
        for path, data in case.files.items():
            place = tmp_path / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    for path in CORPUS.rglob("*"):
        if path.is_file():
            place = tmp_path / "corpus" / path.relative_to(CORPUS)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    folders += sorted({f"corpus/{path.parent.relative_to(CORPUS)}" for path in CORPUS.rglob("*.tf")})
    theirs = tfparse_values.theirs([str(tmp_path / folder) for folder in folders])
    compared = 0

    def differences() -> Iterator[tuple[str, str, str]]:
        nonlocal compared
        for folder in folders:
            found = theirs[str(tmp_path / folder)]
            if isinstance(found, str):
                yield folder, "", found
                continue
            ours = _evaluated(tmp_path, folder)
            for address in sorted({*found, *ours}):
                if address not in found or address not in ours:
                    yield folder, address, "only ours" if address in ours else "only theirs"
                    continue
                known = dict(leaves(ours[address]))
                for place, value in leaves(found[address]):
                    compared += 1
                    own = known.get(place, "absent")
                    if not _META.match(place) and own != value and str(own) != str(value):
                        shown = "unknown" if isinstance(own, Unknown) else repr(own)
                        yield folder, f"{address} {place}", f"ours {shown}, theirs {value!r}"

    settle(differences(), "tfparse")
    assert compared > 400


def _evaluated(root: Path, folder: str) -> dict[str, Any]:
    """The managed resources of a folder as a root module."""
    format_ = TerraformFormat()
    tree = WorkTree(str(root))
    paths = [f"{folder}/{name}" for name in tree.list(folder) if name.endswith(SUFFIXES)]
    made: dict[str, Any] = {}
    for unit in format_.units(paths, tree):
        for one in format_.load(unit, tree).resources:
            if one.type not in ("variable", "module", "output", "terraform") and "." not in one.type:
                made[one.address] = one.value
    return made
