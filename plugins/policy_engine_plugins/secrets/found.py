"""What a detector found."""

from __future__ import annotations

from dataclasses import dataclass, field

from policy_engine_plugins.secrets.kind import Kind

CHECKSUM, STRUCTURE, FORM, MISMATCH, NAME = "checksum", "structure", "form", "mismatch", "name"
CONFIDENCE = {CHECKSUM: "high", STRUCTURE: "high", FORM: "medium", MISMATCH: "low", NAME: "low"}


@dataclass(frozen=True, slots=True)
class Found:
    """A secret between two offsets of a text. Nothing of it is ever printed: not even by a debugger's `repr`.

    made_up    True for a documented example or a placeholder, a reason where it may be one, else False
    encrypted  for a private key, whether a passphrase protects it
    shown      offsets of what may be pointed at, where that is not the secret itself (a key's first line)
    """

    kind: Kind
    start: int
    end: int
    basis: str
    value: str = field(repr=False)
    made_up: bool | str = False
    encrypted: bool = False
    shown: tuple[int, int] | None = None
