"""The control catalogues of ISO/IEC 27001 Annex A, both editions, in our own words."""

from __future__ import annotations

from policy_engine.control import Framework, FrameworkSource
from policy_engine.hookspecs import hookimpl


def load_2022() -> Framework:
    from policy_engine_plugins.iso27001.catalogue import load

    return load("2022")


def load_2013() -> Framework:
    from policy_engine_plugins.iso27001.catalogue import load

    return load("2013")


@hookimpl
def register_frameworks() -> list[FrameworkSource]:
    return [FrameworkSource("iso27001-2013", load_2013), FrameworkSource("iso27001-2022", load_2022)]
