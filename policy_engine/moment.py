"""What one run of many came to."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Moment(Struct, frozen=True):
    """What one run came to.

    at        the time in UTC, as 2027-01-31T02:00:00Z
    controls  how many controls of the leading framework had each status, by the status's name
    """

    at: str
    open: int
    new: int
    fixed: int
    reopened: int
    controls: Mapping[str, int]
