"""An HTTP session whose exchanges can be ended from outside, as a server may send a byte now and then for ever.

The time limits of `requests` are for the time between two pieces; none is for the whole.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_here = threading.local()


@contextmanager
def ended_after(seconds: float) -> Iterator[threading.Event]:
    """The exchanges of this thread inside the block are cut off once the time is up; the event says that it was."""
    late = threading.Event()
    sockets: list[socket.socket] = []
    _here.sockets = sockets

    def cut() -> None:
        late.set()
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        _here.sockets = None


def _note(connection: Any) -> None:
    sockets = getattr(_here, "sockets", None)
    if sockets is not None and connection.sock is not None:
        sockets.append(connection.sock)


class _Plain(HTTPConnection):
    def getresponse(self) -> Any:  # type: ignore[override, unused-ignore]
        _note(self)
        return super().getresponse()


class _Secure(HTTPSConnection):
    def getresponse(self) -> Any:  # type: ignore[override, unused-ignore]
        _note(self)
        return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *positional: Any, **named: Any) -> None:
        super().init_poolmanager(*positional, **named)  # type: ignore[no-untyped-call, unused-ignore]
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *positional: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*positional, **named)  # type: ignore[no-untyped-call, unused-ignore]
        manager.pool_classes_by_scheme = _POOLS
        return manager


def session() -> requests.Session:
    made = requests.Session()
    made.mount("http://", _Adapter())
    made.mount("https://", _Adapter())
    return made
