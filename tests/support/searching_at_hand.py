"""A process that searches, behind its socket: for pages, without cameras or networks.

What it finds is said by the test. It answers as `appliance.app.search_process` does; tests of the whole hold
that one to the same messages.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from appliance.app.search_newest import NewestFound
from appliance.search import read_features_message
from appliance.services import Layout
from appliance.store import Store
from appliance.wire import Handler, Message, Reply, Request, Server
from appliance.wire.messages import (
    AskNewest,
    AskSearch,
    CalibrateSearch,
    Done,
    Found,
    FoundTold,
    MatchTold,
    NewestTold,
    RefeaturizeSearch,
    SearchCamera,
    SearchFeatures,
    SearchPicture,
    SearchSource,
    SearchTold,
    SearchWork,
)

AT = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
MODEL = "efficientnet-lite0:0123456789ab"


class Searching:
    """What is found.

    Attributes:
        answer: Of whoever asks by a picture or a camera; None: there is nothing like it.
        asked: Pictures, messages of features and cameras that were asked with.
        told: What was asked for besides.
        work: What is under way.
        cameras: That are watched.
        lost: Why one of them gives nothing, by its id.
        trouble: What stands in the way.
        number_asked: The greatest number behind which somebody asked for what is new.
        near: What is nearest to what nothing is like before a camera.
    """

    def __init__(self, store: Store) -> None:
        self.answer: tuple[MatchTold, ...] = ()
        self.asked: list[bytes | str] = []
        self.told: list[Message] = []
        self.work: tuple[SearchWork, ...] = ()
        self.cameras: tuple[str, ...] = ("entrance",)
        self.lost: dict[str, str] = {}
        self.trouble = ""
        self.number_asked = 0
        self._store = store
        self.near: MatchTold | None = None
        self._newest = NewestFound(50, store)

    def found(self, *matches: MatchTold, camera: str = "entrance") -> FoundTold:
        """Something was held before a camera; without matches there is nothing like it."""
        near = None if matches else self.near
        return self._newest.put(self._told(matches, source="camera", name=camera, near=near))

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            SearchPicture: self._by_picture,
            SearchFeatures: self._by_features,
            SearchCamera: self._by_camera,
            AskNewest: self._ask_newest,
            AskSearch: self._state,
            CalibrateSearch: self._noted,
            RefeaturizeSearch: self._noted,
        }

    def _told(
        self, matches: tuple[MatchTold, ...], *, source: str, name: str = "", near: MatchTold | None = None
    ) -> FoundTold:
        return FoundTold.model_validate(
            {
                "number": 0,
                "at": datetime.now(UTC),
                "source": source,
                "name": name,
                "known": bool(matches),
                "threshold": 0.5,
                "basis": "catalogue",
                "matches": matches,
                "near": near,
                "featurizer": MODEL,
                "searched": self._store.item_count(),
            }
        )

    def _answered(self, matches: int | None, *, source: str, name: str = "") -> FoundTold:
        near = None if self.answer else MatchTold(item="cup", title="Blue cup", picture="p", score=0.4)
        return self._told(self.answer[:matches], source=source, name=name, near=near)

    def _by_picture(self, request: Request[SearchPicture]) -> Reply[Found]:
        self.asked.append(request.blob)
        return Reply(Found(found=self._answered(request.message.matches, source="picture")))

    def _by_features(self, request: Request[SearchFeatures]) -> Reply[Found]:
        read_features_message(request.blob, sizes=(1280,))
        self.asked.append(request.blob)
        return Reply(Found(found=self._answered(request.message.matches, source="features")))

    def _by_camera(self, request: Request[SearchCamera]) -> Reply[Found]:
        camera = request.message.camera
        self.asked.append(camera)
        return Reply(Found(found=self._answered(None, source="camera", name=camera)))

    def _ask_newest(self, request: Request[AskNewest]) -> Reply[NewestTold]:
        self.number_asked = max(self.number_asked, request.message.after)
        return self._newest.ask(request)

    def _state(self, _: Request[AskSearch]) -> Reply[SearchTold]:
        pictures = self._store.picture_count()
        return Reply(
            SearchTold(
                items=self._store.item_count(),
                pictures=pictures,
                indexed=pictures,
                featurizer=MODEL,
                model="efficientnet-lite0",
                threshold=0.5,
                basis="catalogue",
                explained="of 500 variations of pictures 25 came nearer to another item than this",
                calibrated_at=AT,
                work=self.work,
                sources=tuple(
                    SearchSource(
                        source="camera",
                        name=each,
                        state="lost" if each in self.lost else "watching",
                        words=self.lost.get(each, ""),
                    )
                    for each in self.cameras
                ),
                trouble=self.trouble,
                hint="wait a moment" if self.trouble else "",
                memory_bytes=6600 * pictures,
            )
        )

    def _noted(self, request: Request[Message]) -> Reply[Done]:
        self.told.append(request.message)
        return Reply(Done())


@contextmanager
def searching_at_hand(layout: Layout, store: Store) -> Iterator[Searching]:
    """It answers at its socket until the end of the block."""
    searching = Searching(store)
    with Server(layout.socket("search"), searching.handlers(), max_connections=32):
        yield searching
