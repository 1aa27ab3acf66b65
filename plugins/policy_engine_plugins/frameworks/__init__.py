"""Other frameworks by their identifiers, so that one scan answers several questionnaires."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from policy_engine.control import FrameworkSource
from policy_engine.hookspecs import hookimpl

if TYPE_CHECKING:
    from policy_engine.control import Framework

NAMES = ("cis-v8", "nist-800-53-r5", "soc2")


def load(name: str) -> Framework:
    from policy_engine_plugins.frameworks.catalogue import load as read

    return read(name)


@hookimpl
def register_frameworks() -> list[FrameworkSource]:
    return [FrameworkSource(name, partial(load, name)) for name in NAMES]
