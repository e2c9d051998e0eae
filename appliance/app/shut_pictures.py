"""The pictures of shut doors that admins vouched for, one file per door in the state directory.

Reads, writes and forgets them; what is in one is the door room's. Written where somebody said that the
door is shut: by `appliance door calibrate --keep` and by the page that sets doors up. A picture that cannot
be used costs no start: the watch then begins by guessing, as without one.
"""

import contextlib
from collections.abc import Iterator

import structlog

from appliance import private_files
from appliance.door.shut_picture import ShutPicture, decode, encode
from appliance.errors import InputError, StoreError
from appliance.services import Layout
from appliance.settings import DoorSettings

_MOST_BYTES = 1 << 20
"""More than any of them has; a file is read no further."""

_ANEW = "show it shut where doors are set up"

_log = structlog.get_logger()


def read_picture(layout: Layout, door: DoorSettings) -> ShutPicture | None:
    """The picture that is kept of this door as it is set; None if there is none.

    Raises:
        InputError: There is one, but it is damaged, of another region, or not to be read.
    """
    path, again = layout.shut_picture(door.id), f"or: appliance door calibrate --keep --door {door.id}"
    try:
        with path.open("rb") as file:
            picture = decode(file.read(_MOST_BYTES + 1))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}",
            hint="does it belong to the account that the appliance runs under?",
        ) from error
    except InputError as error:
        raise InputError(f"{path} is damaged", hint=_ANEW, command=again) from error
    if not picture.is_of(door):
        raise InputError(
            f"{path} shows another region than the settings say",
            hint=_ANEW,
            command=again,
        )
    return picture


def kept_picture(layout: Layout, door: DoorSettings) -> ShutPicture | None:
    """The same, for who watches: one that cannot be used is none, and the diagnostics say why."""
    try:
        return read_picture(layout, door)
    except InputError as error:
        _log.warning("shut_picture_unusable", door=door.id, reason=error.message, hint=error.advice)
        return None


def keep_picture(layout: Layout, door: str, picture: ShutPicture) -> None:
    """Keep a picture, in the place of an earlier one; only its owner may read the file.

    Args:
        layout: Where things lie.
        door: Id, as settings have it.
        picture: Of the shut door, vouched for by an admin.

    Raises:
        StoreError: It cannot be written.
    """
    _put(layout, door, encode(picture))


def forget_picture(layout: Layout, door: str) -> None:
    """Let go of a door's picture, if there is one.

    Raises:
        StoreError: It cannot be removed.
    """
    _put(layout, door, None)


def kept_content(layout: Layout, door: str) -> bytes | None:
    """A door's picture as its file has it, whatever that is worth; None where there is none to be read."""
    try:
        return layout.shut_picture(door).read_bytes()
    except OSError:
        return None


@contextlib.contextmanager
def kept_instead(layout: Layout, door: str, content: bytes | None) -> Iterator[None]:
    """Keep a picture as another process encoded it, or none; what was before comes back if the block fails.

    Raises:
        InputError: It is larger than any picture of a shut door.
        StoreError: It cannot be written.
    """
    if content is not None and len(content) > _MOST_BYTES:
        raise InputError("this is no picture of a shut door: it is too large")
    before = kept_content(layout, door)
    _put(layout, door, content)
    try:
        yield
    except BaseException:
        _put(layout, door, before)
        raise


def _put(layout: Layout, door: str, content: bytes | None) -> None:
    path = layout.shut_picture(door)
    try:
        if content is None:
            path.unlink(missing_ok=True)
            return
        layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        private_files.replace(path, content)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}",
            hint="is the disk full, or does the folder belong to another account?",
        ) from error
