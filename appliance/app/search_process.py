"""The process that searches for alike pictures: put together, it holds the index and answers.

It opens no camera, decodes no picture and runs no network: frames are the loop's, and the models process
describes them. It holds keys, to open pictures that have to be described anew, and to log what it did.
"""

import contextlib
import threading
from typing import Final

from appliance.app.catalogue_changing import features_of
from appliance.app.search_answering import Answering, Looked
from appliance.app.search_calibrating import Calibrating
from appliance.app.search_feeds import FunctionFeeds
from appliance.app.search_newest import NewestFound
from appliance.app.search_sources import SourceStates
from appliance.app.search_telling import Telling
from appliance.app.search_upkeep import Upkeep
from appliance.app.search_watching import CameraWatch, Lease, watching
from appliance.app.search_work import WorkStates
from appliance.errors import SearchError
from appliance.search import read_features_message
from appliance.services import Services
from appliance.settings import SearchSettings, Settings
from appliance.values import FloatArray
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.framing import close_fds
from appliance.wire.messages import (
    AskSearch,
    CalibrateSearch,
    Done,
    FeaturizeFrame,
    FeaturizePicture,
    Found,
    FrameFeaturized,
    FramesShared,
    PictureFeaturized,
    RefeaturizeSearch,
    SearchCamera,
    SearchFeatures,
    SearchPicture,
    SearchTold,
    WatchFrames,
)

_MOST_CALLERS: Final = 128
"""Every page that is open waits in one for the newest matches."""
_MESSAGE_S: Final = 30.0
_FEATURIZE_S: Final = 25.0
_LOOP_S: Final = 8.0
_FRAME_S: Final = 2.0
_BYTES_BESIDE: Final = 500
"""Of an index, for ids and book-keeping of each picture; five for each number besides."""


def run_search(settings: Settings, services: Services, stop: threading.Event) -> None:
    """Search until `stop` is set.

    Args:
        settings: As they are at the start.
        services: The catalogue, its keys, and where the other processes listen.
        stop: Set at the end.

    Raises:
        WireError: Another such process answers at the socket.
    """
    mine, layout, clock = settings.search, services.layout, services.clock
    models = Client(layout.socket("models"))
    loop = Client(layout.socket("loop"), timeout_s=_LOOP_S)
    dispatch = Client(layout.socket("dispatch")) if settings.mqtt.host else None
    works, states, newest = WorkStates(), SourceStates(), NewestFound(mine.keep_newest, services.store)
    answering = Answering(mine, services.store)
    calibrating = Calibrating(mine, services.store, models, answering, works)
    upkeep = Upkeep(mine, services.store, models, answering, calibrating, works)
    telling = Telling(mine, newest, loop, dispatch)
    feeds = FunctionFeeds(
        mine.hold_s, answering, telling.tell, states, monotonic=clock.monotonic, wall=clock.wall
    )
    answers = SearchAnswers(settings, services, answering, upkeep, calibrating, works, states)
    watches = [
        CameraWatch(mine, camera, Lease(loop, camera), models, answering, telling.tell, states)
        for camera in mine.cameras
    ]
    handlers = {**answers.handlers(), **newest.handlers(), **feeds.handlers()}
    with (
        Server(layout.socket("search"), handlers, max_connections=_MOST_CALLERS, message_s=_MESSAGE_S),
        upkeep.running(),
        telling.running(),
        watching(watches),
        contextlib.closing(newest),
    ):
        stop.wait()


class SearchAnswers:
    """What the process answers of itself; see the modules beside for the rest.

    Args:
        settings: All of them.
        services: The clock, and where the other processes listen.
        answering: Looks up.
        upkeep: Keeps index and catalogue alike.
        calibrating: Finds the threshold.
        works: How the work goes.
        states: How cameras and functions are.
    """

    def __init__(  # noqa: PLR0917 - parts that are put together once
        self,
        settings: Settings,
        services: Services,
        answering: Answering,
        upkeep: Upkeep,
        calibrating: Calibrating,
        works: WorkStates,
        states: SourceStates,
    ) -> None:
        self._settings: SearchSettings = settings.search
        self._clock = services.clock
        self._models = Client(services.layout.socket("models"))
        self._loop = Client(services.layout.socket("loop"), timeout_s=_LOOP_S)
        self._answering = answering
        self._upkeep = upkeep
        self._calibrating = calibrating
        self._works = works
        self._states = states

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            SearchPicture: self.picture,
            SearchFeatures: self.features,
            SearchCamera: self.camera,
            AskSearch: self.told,
            CalibrateSearch: self.calibrate,
            RefeaturizeSearch: self.refeaturize,
        }

    def picture(self, request: Request[SearchPicture]) -> Reply[Found]:
        """What is like the picture in the blob.

        Raises:
            PhotoError: It cannot be used as a picture.
            SearchError: There is nothing to search in.
            ModelError: The network is not installed.
            WireError: The models process is away.
        """
        asked, current = request.message, self._answering.current
        question = FeaturizePicture(models=(current.model,), view=asked.view)
        made = self._models.call(
            question, PictureFeaturized, blob=request.blob, timeout_s=_FEATURIZE_S
        ).message
        looked = Looked("picture", "", self._clock.wall(), made.box, (made.width, made.height))
        features = _of(made, current.featurizer)
        self._upkeep.refresh()
        found = self._answering.answer(features, looked, asked.matches, searched=current)
        return Reply(Found(found=found))

    def features(self, request: Request[SearchFeatures]) -> Reply[Found]:
        """What is like the features in the blob, whichever network made them: they do not say.

        Raises:
            FeaturesError: They are none, or not as many as those that are searched in.
            SearchError: There is nothing to search in.
        """
        current = self._answering.current
        features = read_features_message(request.blob, sizes=(current.numbers,))
        self._upkeep.refresh()
        looked = Looked("features", "", self._clock.wall())
        found = self._answering.answer(features, looked, request.message.matches, searched=current)
        return Reply(Found(found=found))

    def camera(self, request: Request[SearchCamera]) -> Reply[Found]:
        """What is like what a camera shows now, with what counted of it as a JPEG.

        Raises:
            CameraLostError: There is no such camera, or it gives nothing.
            SearchError: There is nothing to search in.
            ModelError: The network is not installed.
            WireError: The loop or the models process is away.
        """
        asked, current = request.message, self._answering.current
        view = asked.view or self._settings.view
        question = FeaturizeFrame(models=(current.model,), view=view, jpeg=True, wait_s=_FRAME_S)
        shared = self._loop.call(WatchFrames(camera=asked.camera), FramesShared)
        try:
            reply = self._models.call(question, FrameFeaturized, fds=shared.fds, timeout_s=_FEATURIZE_S)
        finally:
            close_fds(shared.fds)
        made = reply.message
        looked = Looked("camera", asked.camera, made.at, made.box, (made.width, made.height))
        features = _of(made, current.featurizer)
        self._upkeep.refresh()
        found = self._answering.answer(features, looked, asked.matches, searched=current)
        return Reply(Found(found=found), blob=reply.blob)

    def told(self, request: Request[AskSearch]) -> Reply[SearchTold]:
        """How searching goes.

        Raises:
            StoreError: The catalogue cannot be read.
        """
        del request
        state, current = self._answering.state(), self._answering.searched
        threshold, basis = self._answering.threshold()
        why = self._answering.trouble
        words = why.message if why is not None else self._works.words
        indexed = len(current.index) if current is not None else 0
        per_picture = 5 * current.numbers + _BYTES_BESIDE if current is not None else 0
        return Reply(
            SearchTold(
                items=state.items,
                pictures=state.pictures,
                indexed=indexed,
                unreadable=self._upkeep.unreadable,
                featurizer=state.featurizer or "",
                next_featurizer=state.next_featurizer or "",
                model=self._settings.model,
                threshold=threshold,
                basis=basis,
                explained=self._calibrating.explained,
                calibrated_at=state.calibrated_at,
                work=self._works.told(),
                sources=self._states.told(),
                trouble=words,
                hint=why.hint if why is not None else "",
                memory_bytes=indexed * per_picture,
            )
        )

    def calibrate(self, request: Request[CalibrateSearch]) -> Reply[Done]:
        """Note that the threshold is to be found anew."""
        self._calibrating.ask(request.message.rate, request.message.by)
        self._upkeep.nudge()
        return Reply(Done())

    def refeaturize(self, request: Request[RefeaturizeSearch]) -> Reply[Done]:
        """Note that another network is to describe the catalogue.

        Raises:
            ModelError: There is no such network, or it is not installed.
            FormError: It is searched with already.
            PeerGoneError: The models process is not there.
        """
        self._upkeep.refeaturize(request.message.model, request.message.by)
        return Reply(Done())


def _of(made: PictureFeaturized | FrameFeaturized, featurizer: str) -> FloatArray:
    """The features that can be compared with those of the index.

    Raises:
        SearchError: The network is another one than that of the index.
    """
    found = features_of(made.features).get(featurizer)
    if found is None:
        raise SearchError(
            f"the catalogue is described by {featurizer}, and that network is another one now",
            hint="it is being described anew; wait a moment",
        )
    return found
