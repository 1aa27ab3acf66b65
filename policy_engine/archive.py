"""An archive whose bytes follow from its members alone: a ZIP file without compression, dates or attributes.

So there is exactly one archive of given members, and any other bytes are an alteration. As nothing is compressed, none
can be larger than the file it comes in.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from policy_engine.errors import PolicyEngineError

MAX_BYTES = 1024 * 1024 * 1024
MAX_MEMBERS = 10_000
_NAME = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_MEMBER = 0o100644 << 16  # a plain file


class ArchiveRefused(PolicyEngineError):
    """No archive of ours: broken off, or made to do harm."""


class ArchiveAltered(PolicyEngineError):
    """The members can be read, but the bytes around them are not as they were written."""

    def __init__(self, members: dict[str, bytes], path: str) -> None:
        super().__init__("bytes around its members were altered", path=path)
        self.members = members


def pack(members: Mapping[str, bytes]) -> bytes:
    """The archive of the members, in their order."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            assert _fit(name), name
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = _MEMBER
            archive.writestr(entry, data)
    return stream.getvalue()


def unpack(data: bytes, path: str) -> dict[str, bytes]:
    """The members, in their order. Raises ArchiveRefused, or ArchiveAltered, which holds the members."""
    if len(data) > MAX_BYTES:
        raise ArchiveRefused(f"larger than {MAX_BYTES} bytes", path=path)
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_MEMBERS:
                raise ArchiveRefused(f"more than {MAX_MEMBERS} members", path=path)
            for entry in entries:
                _check(entry, members, path)
                members[entry.filename] = _content(archive, entry, path)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArchiveRefused(f"no whole archive: {reason}", path=path) from None
    if pack(members) != data:
        raise ArchiveAltered(members, path)
    return members


def _check(entry: zipfile.ZipInfo, members: Mapping[str, bytes], path: str) -> None:
    shown = ascii(entry.filename[:100])
    if not _fit(entry.filename) or entry.orig_filename != entry.filename:
        raise ArchiveRefused(f"a member is named {shown}, which leads elsewhere", path=path)
    if entry.filename in members:
        raise ArchiveRefused(f"two members are named {shown}", path=path)
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise ArchiveRefused(f"{shown} is compressed, which an evidence pack never is", path=path)
    if entry.external_attr >> 28 not in (0, 0o10):
        raise ArchiveRefused(f"{shown} is a link or a device, not a file", path=path)
    if entry.flag_bits & 1:
        raise ArchiveRefused(f"{shown} is encrypted", path=path)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str) -> bytes:
    # The check sum of the archive is not ours to rely on; what it complains of is told as altered further on.
    try:
        return archive.read(entry)
    except zipfile.BadZipFile as error:
        if "CRC" not in str(error):
            raise
        with archive.open(entry) as stream:
            stream._expected_crc = None  # type: ignore[attr-defined]
            return stream.read()


def _fit(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and all(part not in (".", "..") for part in name.split("/"))
