"""Pictures of an import by page, described: what each becomes while it waits for the others of its row.

A picture file is described as it comes and let go of. Should the models process end over it, it is waited for
and the picture is tried once more, alone, so that nobody else's picture is blamed.
"""

import threading
import time
from collections.abc import Collection, Mapping
from typing import Final

from appliance.app.catalogue_changing import CatalogueChanges, Models
from appliance.app.catalogue_import import Ready, picture_fault
from appliance.app.catalogue_import_report import RowFault
from appliance.app.catalogue_import_table import TableRow
from appliance.app.catalogue_pictures import identity
from appliance.errors import InputError, PeerGoneError, PhotoError
from appliance.store import CatalogueItem, NewPicture
from appliance.wire.messages import AskFeaturizer, FeaturizerTold

Described = NewPicture | str | RowFault
"""A picture as it is to be kept; the hash of one that its item has; or why there is none."""

BACK_S: Final = 25.0
"""So long a models process that ended is waited for; whoever asks is told to come again then."""
_ALONE: Final = 2
_LOOK_S: Final = 0.25
_ANSWER_S: Final = 5.0


class Describing:
    """Describes pictures for all imports by page; threads may share it.

    Args:
        models: The models process, whose supervisor starts it again.
        back_s: How long it is waited for.
    """

    def __init__(self, models: Models, *, back_s: float = BACK_S) -> None:
        self._models = models
        self._back_s = back_s
        self._alone = threading.Lock()

    def described(
        self, changes: CatalogueChanges, row: TableRow, path: str, content: bytes, known: Collection[str]
    ) -> Described:
        """What a picture file becomes.

        Args:
            changes: Makes features of it.
            row: Whose picture.
            path: As the row names it.
            content: The file.
            known: Hashes of pictures that need not be described again.

        Raises:
            PeerGoneError: The models process did not come back in time.
            ModelError: Pictures cannot be described at all.
        """
        sha256 = identity(path, content)
        if sha256 in known:
            return sha256
        try:
            return self._picture(changes, content, sha256)
        except InputError as error:
            return picture_fault(row, path, error)

    def _picture(self, changes: CatalogueChanges, content: bytes, sha256: str) -> NewPicture:
        until_s = time.monotonic() + self._back_s
        self._take(until_s)  # while another is tried alone, nothing else may end what tries it
        self._alone.release()
        try:
            return changes.picture(content, sha256=sha256)
        except PeerGoneError:
            until_s = time.monotonic() + self._back_s
        self._take(until_s)
        try:
            for _ in range(_ALONE):
                self._back(changes, until_s)
                try:
                    return changes.picture(content, sha256=sha256)
                except PeerGoneError:
                    continue
        finally:
            self._alone.release()
        raise PhotoError(
            "nobody could look at it: the process that does ended over it each time",
            reason="unreadable",
            hint="save it anew with another program, or take another picture",
        )

    def _take(self, until_s: float) -> None:
        if not self._alone.acquire(timeout=max(0.0, until_s - time.monotonic())):
            raise PeerGoneError("models is busy with a picture that it ended over")

    def _back(self, changes: CatalogueChanges, until_s: float) -> None:
        """Wait until the models process answers."""
        while True:
            try:
                asked = AskFeaturizer(model=changes.wanted_models()[0])
                self._models.call(asked, FeaturizerTold, timeout_s=_ANSWER_S)
            except PeerGoneError:
                if time.monotonic() >= until_s:
                    raise
            else:
                return
            time.sleep(_LOOK_S)


def needless(had: CatalogueItem | None, *, replace: bool) -> frozenset[str]:
    """Hashes of pictures that need not be described, for their item has them.

    If others of the item may have to go, those that stay are handed over with the new ones.
    """
    hashes = frozenset() if had is None else frozenset(each.sha256 for each in had.pictures)
    return hashes if not replace or len(hashes) == 1 else frozenset()


def ready(
    row: TableRow, pictures: Mapping[str, Described], had: CatalogueItem | None, *, replace: bool
) -> Ready:
    """A row whose pictures are all described."""
    found, seen = Ready(), set()
    for path in row.pictures:
        one = pictures[path]
        if isinstance(one, RowFault):
            found.faults.append(one)
            continue
        sha256 = one if isinstance(one, str) else one.sha256
        if sha256 in seen:
            continue
        seen.add(sha256)
        if isinstance(one, str):
            found.known.append(sha256)
        else:
            found.new.append(one)
    there = set() if had is None else {each.sha256 for each in had.pictures}
    if not replace or not there - seen:
        new = [each for each in found.new if each.sha256 not in there]
        found.known += [each.sha256 for each in found.new if each.sha256 in there]
        found.new = new
    return found


def weight(described: Described) -> int:
    """How many bytes it takes while it waits."""
    if not isinstance(described, NewPicture):
        return 0
    return len(described.jpeg) + sum(each.nbytes for each in described.features.values())
