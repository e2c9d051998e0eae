"""What the desk knows of everybody enrolled, read anew only when the gallery has changed.

Holds templates in memory while the desk runs, as the loop does; writes nothing.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from appliance.app.enrolled_faces import EnrolledFaces
from appliance.app.error_tables import read_tables
from appliance.app.safety import gallery_safety
from appliance.evaluation.safety import SafetyReport
from appliance.settings import RecognitionSettings
from appliance.store import Store
from appliance.values import SubjectId
from enroll.keeping import known_photos

T = TypeVar("T")


class Knowledge:
    """Who is enrolled, to be compared with and told about; safe to ask from several threads.

    Args:
        store: Opened, with a key.
        recognition: Composition, wanted FPIR, margin, band.
    """

    def __init__(self, store: Store, recognition: RecognitionSettings) -> None:
        self._store = store
        self._recognition = recognition
        self._faces = _Kept(lambda: EnrolledFaces.of(store, recognition, read_tables()))
        self._safety = _Kept(lambda: gallery_safety(store, recognition))
        self._photos = _Kept(lambda: known_photos(store))

    def faces(self) -> EnrolledFaces:
        """Everybody's references.

        Raises:
            StoreError: The database cannot be read.
            ModelError: The measured error rates are missing or damaged.
        """
        return self._faces.of(self._store.gallery_version())

    def photos(self) -> Mapping[str, SubjectId]:
        """sha256 of every picture that a reference came from → whose."""
        return self._photos.of(self._store.gallery_version())

    def safety(self, *, fpir: float | None = None) -> SafetyReport:
        """What the gallery risks; for another wanted FPIR it is worked out each time.

        Raises:
            StoreError: The database cannot be read.
            ModelError: The measured error rates are missing or damaged.
        """
        if fpir is not None:
            return gallery_safety(self._store, self._recognition, fpir=fpir)
        return self._safety.of(self._store.gallery_version())


class _Kept(Generic[T]):
    """Something that is true of one version of the gallery."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[int, T] | None = None

    def of(self, version: int) -> T:
        # The version was read before what is made: what is newer than it is only made once more.
        with self._lock:
            if self._made is None or self._made[0] != version:
                self._made = (version, self._make())
            return self._made[1]
