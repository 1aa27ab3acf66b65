"""A value that cannot be known without running something, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from policy_engine.span import Location


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a concrete value would. Conditions over it are undecided unless every value would decide alike.

    reason     one phrase a person understands: "variable 'region' has no default"
    origin     where the not-knowing begins, if that is in a scanned file
    refers_to  addresses of the resources the value derives from (`aws_s3_bucket.logs`), so that rules can follow links
    fragments  for what is known to be text: its pieces in order, None for each unknown piece;
               `("arn:aws:s3:::", None)` is known to start with that prefix. Empty when it may be anything.
    present    known to be there, neither null nor empty, though not what it is: the computed ARN of a declared resource
    """

    reason: str
    origin: Location | None = None
    refers_to: tuple[str, ...] = ()
    fragments: tuple[str | None, ...] = ()
    present: bool = False

    def member(self) -> Unknown:
        """What an attribute or item of it is: as unknown, and nothing known of it."""
        if not self.fragments and not self.present:
            return self
        return Unknown(self.reason, self.origin, self.refers_to)

    def __bool__(self) -> NoReturn:
        # `if value:` would quietly decide the undecidable, and always the same way.
        raise TypeError(f"an Unknown has no truth value ({self.reason})")


class Embedded(str):
    """Text that holds a document (an IAM policy built by `jsonencode`), with the document's values beside it.

    `value` is the document as plain values and may hold an `Unknown` anywhere; the text itself is then the best
    rendering there is and must not be compared. Rules reach into it with `document:`.
    """

    __slots__ = ("value",)
    value: object

    def __new__(cls, text: str, value: object) -> Embedded:
        self = super().__new__(cls, text)
        self.value = value
        return self
