"""An archive in a folder, sealed: it outlives the server.

    <folder>/<stream>/stream.json.sealed       the stream's row
    <folder>/<stream>/<number>.media.sealed    a fragment's bytes
    <folder>/<stream>/<number>.row.sealed      its row, written last: without it there is no such fragment

A stream's folder is named after a hash of its name. Everything is sealed by what is handed in and bound to
its place. A file that does not open is as if it were not there, and is not deleted. The folder has no bound
but retention and the disk's.
"""

import hashlib
import json
import shutil
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, Protocol

import structlog

from appliance import private_files
from appliance.errors import VaultError, VideoError
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow
from appliance.video.kvs_server.streams import StreamRow

_log = structlog.get_logger()

_ROW_FILE: Final = "stream.json.sealed"
_MEDIA: Final = ".media.sealed"
_ROW: Final = ".row.sealed"
_LENGTHS: Final = struct.Struct(">II")
"""Bytes of the header and of the cluster; the tags are what is left."""


class DeviceSealing(Protocol):
    """Seals what rests on this machine's disk."""

    def seal_device(self, plaintext: bytes, *, row: str) -> bytes:
        """Seal it for one place."""

    def open_device(self, sealed: bytes, *, row: str) -> bytes:
        """Open what was sealed for that place.

        Raises:
            VaultError: It was not, or it is damaged.
        """


class FolderArchive:
    """Keeps streams and fragments as sealed files.

    Args:
        folder: Made if it is not there.
        sealing: Of this machine.
    """

    def __init__(self, folder: Path, sealing: DeviceSealing) -> None:
        self._folder = folder
        self._sealing = sealing
        self._rows: dict[str, dict[str, FragmentRow]] = {}

    def streams(self) -> Sequence[StreamRow]:
        """Every stream that can be opened."""
        found = []
        with _trouble(self._folder):
            for path in sorted(self._folder.glob(f"*/{_ROW_FILE}")):
                opened = self._opened(path)
                if opened is not None:
                    found.append(StreamRow.from_json(json.loads(opened)))
        return found

    def keep_stream(self, row: StreamRow) -> None:
        """Keep a stream, or its new row.

        Raises:
            VideoError: It cannot be written.
        """
        place = self._place(row.name)
        with _trouble(place):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(place / _ROW_FILE, json.dumps(row.as_json()).encode())

    def drop_stream(self, name: str) -> None:
        """Forget a stream with its fragments.

        Raises:
            VideoError: Its folder cannot be deleted.
        """
        place = self._place(name)
        self._rows.pop(name, None)
        with _trouble(place):
            if place.exists():
                # First what makes it a stream, so that a crash leaves none with half of its fragments.
                private_files.remove(place / _ROW_FILE)
                shutil.rmtree(place)

    def add(self, stream: str, row: FragmentRow, media: FragmentMedia) -> None:
        """Keep a fragment; when this returns, it survives a power cut.

        Raises:
            VideoError: It cannot be written; nothing of it is kept.
        """
        known = self._known(stream)
        content = b"".join(
            (_LENGTHS.pack(len(media.header), len(media.cluster)), media.header, media.cluster, media.tags)
        )
        with _trouble(self._folder):
            self._write(self._path(stream, row.number, _MEDIA), content)
            self._write(self._path(stream, row.number, _ROW), json.dumps(asdict(row)).encode())
        known[row.number] = row

    def fragments(self, stream: str) -> Sequence[FragmentRow]:
        """What there is of a stream, by number."""
        return sorted(self._known(stream).values(), key=lambda row: int(row.number))

    def media(self, stream: str, number: str) -> FragmentMedia | None:
        """The bytes of one; None where there is none that opens."""
        if number not in self._known(stream):
            return None
        opened = self._opened(self._path(stream, number, _MEDIA))
        if opened is None:
            return None
        header, cluster = _LENGTHS.unpack_from(opened)
        body = opened[_LENGTHS.size :]
        return FragmentMedia(body[:header], body[header : header + cluster], body[header + cluster :])

    def forget(self, stream: str, *, before_ms: int) -> None:
        """Delete what the server had before that moment.

        Raises:
            VideoError: A file cannot be deleted.
        """
        known = self._known(stream)
        for row in [each for each in known.values() if each.server_ms < before_ms]:
            with _trouble(self._folder):
                private_files.remove(self._path(stream, row.number, _ROW))
                private_files.remove(self._path(stream, row.number, _MEDIA))
            del known[row.number]

    def _known(self, stream: str) -> dict[str, FragmentRow]:
        """The rows of a stream's fragments, read from its files the first time."""
        if stream not in self._rows:
            place = self._place(stream)
            with _trouble(self._folder):
                kept = {path.name.removesuffix(_ROW): path for path in place.glob(f"*{_ROW}")}
                # What a crash left between the two files of a fragment.
                for path in place.glob(f"*{_MEDIA}"):
                    if path.name.removesuffix(_MEDIA) not in kept:
                        private_files.remove(path)
            opened = (self._opened(kept[number]) for number in sorted(kept))
            rows = [FragmentRow(**json.loads(each)) for each in opened if each is not None]
            self._rows[stream] = {row.number: row for row in rows}
        return self._rows[stream]

    def _write(self, path: Path, content: bytes) -> None:
        private_files.replace(path, self._sealing.seal_device(content, row=self._bound(path)))

    def _opened(self, path: Path) -> bytes | None:
        try:
            return self._sealing.open_device(path.read_bytes(), row=self._bound(path))
        except FileNotFoundError:
            return None
        except (OSError, VaultError) as error:
            _log.warning("kvs_server_file_unreadable", file=path.name, error=str(error))
            return None

    def _bound(self, path: Path) -> str:
        """What a sealed file is bound to: its place below the folder."""
        return f"kvs_server/{path.parent.name}/{path.name}"

    def _path(self, stream: str, number: str, suffix: str) -> Path:
        return self._place(stream) / f"{int(number)}{suffix}"

    def _place(self, stream: str) -> Path:
        return self._folder / hashlib.sha256(stream.encode()).hexdigest()[:32]


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except OSError as error:
        raise VideoError(f"the archive {path} does not work: {error.strerror}") from error
