"""What the models process answers for visual search: pictures from outside and camera frames, described.

A picture is decoded under the limits of enrolment, what counts in it is cut out and made small, and that is
described: so what is kept of a picture gives the same features again. A network is opened when it is first
asked for, so that a box without visual search has none. Nothing is kept, and no item is known here.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from appliance.app.detecting import opened_detector
from appliance.app.rendering import newer_frame
from appliance.camera import encode_jpeg
from appliance.camera.jpeg import shrunk
from appliance.errors import ModelError
from appliance.faces import decode_photo
from appliance.models.folder import ModelFolder, file_sha256
from appliance.networks import open_session, return_memory
from appliance.objects import NetworkDetector
from appliance.search import (
    EFFICIENTNET_LITE0,
    FeatureNetwork,
    Featurizer,
    featurizer_id,
    largest_of,
    varied,
    view_box,
)
from appliance.settings import SearchNetworkSettings, SearchSettings
from appliance.values import FloatArray, ImageArray
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import (
    AskFeaturizer,
    FeaturizeFrame,
    FeaturizePicture,
    FeaturizerTold,
    FrameFeaturized,
    PictureFeaturized,
    SearchView,
)

SIDE_PX: Final = 512
"""The longer side of what is kept of a picture, at most."""
_QUALITY: Final = 90
_AT_ONCE: Final = 2
"""Pictures that are described at once: one thread each, and small boxes have few cores."""
_LEAST_SCORE: Final = 0.4
"""How certain a detector has to be of the largest thing."""
_OWN: Final = "efficientnet-lite0"


class FeatureHandlers:
    """What the models process answers for visual search.

    Its locks are its own: nobody who enrols or looks on waits for it.

    Args:
        settings: Which networks there are.
        folder: Where the installed ones are.
    """

    def __init__(self, settings: SearchSettings, folder: ModelFolder) -> None:
        self._folder = folder
        self._detector_name = settings.detector
        self._own = {each.id: each for each in settings.networks}
        self._opening = threading.Lock()
        # One at a time: a picture of 40 megapixels takes a good part of what this process may have.
        self._decoding = threading.Lock()
        self._networks: dict[str, _Network] = {}
        self._detector: NetworkDetector | None = None

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            FeaturizePicture: self.picture,
            FeaturizeFrame: self.frame,
            AskFeaturizer: self.featurizer,
        }

    def picture(self, request: Request[FeaturizePicture]) -> Reply[PictureFeaturized]:
        """Describe the picture in the blob.

        Raises:
            PhotoError: It cannot be used as a picture.
            ModelError: A network is not installed, or cannot be used.
        """
        asked = request.message
        networks = [self._network(each) for each in asked.models]
        with self._decoding:
            bgr = decode_photo(request.blob)
            height, width = bgr.shape[:2]
            box, small = self._counting(bgr, asked.view)
            del bgr
        high, wide = small.shape[:2]
        told = PictureFeaturized(
            width=width,
            height=height,
            box=box,
            width_px=wide if asked.jpeg else 0,
            height_px=high if asked.jpeg else 0,
            features=_described(networks, small),
            variations=networks[0].described(*varied(small)) if asked.variations else (),
        )
        return Reply(told, blob=encode_jpeg(small, _QUALITY) if asked.jpeg else b"")

    def frame(self, request: Request[FeaturizeFrame]) -> Reply[FrameFeaturized]:
        """Describe the newest frame in the shared memory that came along.

        Raises:
            CameraLostError: None came in time.
            ModelError: A network is not installed, or cannot be used.
            WireError: No shared frames came along.
        """
        asked = request.message
        networks = [self._network(each) for each in asked.models]
        frame = newer_frame(request.fds, asked.after, asked.wait_s)
        box, small = self._counting(frame.bgr, asked.view)
        (height, width), (high, wide) = frame.bgr.shape[:2], small.shape[:2]
        told = FrameFeaturized(
            sequence=frame.stamp.sequence,
            at=frame.stamp.wall,
            width=width,
            height=height,
            box=box,
            width_px=wide if asked.jpeg else 0,
            height_px=high if asked.jpeg else 0,
            features=_described(networks, small),
        )
        return Reply(told, blob=encode_jpeg(small, _QUALITY) if asked.jpeg else b"")

    def featurizer(self, request: Request[AskFeaturizer]) -> Reply[FeaturizerTold]:
        """What a network's features are called, and how many numbers they have.

        Raises:
            ModelError: It is not installed, or cannot be used.
        """
        network = self._network(request.message.model)
        return Reply(FeaturizerTold(featurizer=network.name, numbers=network.size))

    def _counting(self, bgr: ImageArray, view: SearchView) -> tuple[tuple[int, int, int, int], ImageArray]:
        """What counts in a picture: where it is, and itself, small."""
        height, width = bgr.shape[:2]
        largest = None
        if view == "largest":
            with self._opening:
                if self._detector is None:
                    self._detector = opened_detector(self._folder, self._detector_name, _LEAST_SCORE)
                    return_memory()
                largest = largest_of(self._detector.detect(bgr))
        left, top, right, bottom = box = view_box(view, width, height, largest=largest)
        return box, _small(bgr[top:bottom, left:right])

    def _network(self, model: str) -> "_Network":
        """A network, opened when it is first asked for.

        Raises:
            ModelError: There is none of this id, or it cannot be used.
        """
        with self._opening:
            if model not in self._networks:
                self._networks[model] = self._opened(model)
                return_memory()
            return self._networks[model]

    def _opened(self, model: str) -> "_Network":
        if model in self._own:
            return _own_network(self._own[model])
        if model != _OWN:
            raise ModelError(
                f"no network {model!r} describes pictures here",
                hint=f"there are: {', '.join([_OWN, *self._own])}; others are named in search.networks",
            )
        path = self._folder.path(model)
        name = featurizer_id(model, self._folder.manifest.model(model).sha256)
        return _Network(name, lambda: Featurizer(open_session(path), EFFICIENTNET_LITE0))


class _Network:
    """A network that describes pictures for several threads: a copy of it for each that is under way.

    Attributes:
        name: Of its features.
        size: How many numbers they have.
    """

    def __init__(self, name: str, opened: Callable[[], Featurizer]) -> None:
        self.name = name
        self._opened = opened
        first = opened()
        self.size = first.size
        self._free: queue.LifoQueue[Featurizer | None] = queue.LifoQueue()
        # A second one is opened only when two are needed at once.
        for each in (*([None] * (_AT_ONCE - 1)), first):
            self._free.put(each)

    def described(self, *pictures: ImageArray) -> tuple[tuple[float, ...], ...]:
        """Features of pictures, as they travel."""
        with self._taken() as featurizer:
            found: FloatArray = featurizer.featurize_many(pictures)
        return tuple(tuple(row.tolist()) for row in found)

    @contextlib.contextmanager
    def _taken(self) -> Iterator[Featurizer]:
        taken = self._free.get()
        try:
            if taken is None:
                taken = self._opened()
            yield taken
        finally:
            self._free.put(taken)


def _described(networks: list[_Network], picture: ImageArray) -> Mapping[str, tuple[float, ...]]:
    return {network.name: network.described(picture)[0] for network in networks}


def _own_network(given: SearchNetworkSettings) -> _Network:
    """A network that the settings name.

    Raises:
        ModelError: It is not there, or another one than they say.
    """
    try:
        sha256 = file_sha256(given.file)
    except OSError as error:
        raise ModelError(
            f"the network {given.id!r} cannot be read: {error.strerror}",
            hint="look at search.networks: its file has to be there, and readable for the appliance",
        ) from error
    network = FeatureNetwork(
        width=given.width_px,
        height=given.height_px,
        colour=given.colour,
        layout=given.layout,
        dtype=given.dtype,
        mean=given.mean,
        spread=given.spread,
        output=given.output,
        fit=given.fit,
    )
    name = featurizer_id(given.id, sha256, network)
    return _Network(name, lambda: Featurizer(open_session(given.file), network))


def _small(bgr: ImageArray) -> ImageArray:
    """A picture whose longer side has `SIDE_PX` at most."""
    height, width = bgr.shape[:2]
    return shrunk(bgr, max(1, min(width, round(width * SIDE_PX / max(height, width)))))
