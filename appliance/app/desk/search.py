"""Operations of visual search: what is like a picture, features or what a camera shows; what was found last.

The process that searches does it; here it is settled who may. What changes the catalogue is in `catalogue`.
"""

import json
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field, WithJsonSchema

from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.times import moment
from appliance.errors import FormError, PeerGoneError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.wire import Client, Message, Reply
from appliance.wire.messages import (
    AskNewest,
    AskSearch,
    CalibrateSearch,
    Done,
    Found,
    FoundTold,
    NewestTold,
    RefeaturizeSearch,
    SearchCamera,
    SearchFeatures,
    SearchPicture,
    SearchTold,
)

M = TypeVar("M", bound=Message)

CAMERA: Final = r"^[A-Za-z0-9_-]{1,32}$"
View = Literal["all", "centre", "largest"]
_Numbers = Annotated[list[Any], WithJsonSchema({"type": "array", "items": {"type": "number"}})]
"""What is no number among them is told of by whoever reads them, as of a function's."""
_SLACK_S: Final = 5.0
_LOOK_S: Final = 30.0
"""A picture of 40 megapixels on a slow box, and the network opened for it."""
MOST_WAIT_S: Final = 20.0


class Like(Arguments):
    """What is like the picture that goes with it.

    Attributes:
        view: What counts in it.
        matches: So many at most; None: as the settings say.
    """

    view: View = "all"
    matches: int | None = Field(default=None, ge=1, le=50)


class LikeFeatures(Arguments):
    """What is like features that somebody has made.

    Attributes:
        features: As many numbers as the network has that is searched with, of any length: an array, or text
            with commas between, as the DeepLens sample publishes them.
        matches: So many at most; None: as the settings say.
    """

    features: _Numbers | str
    matches: int | None = Field(default=None, ge=1, le=50)


class LikeSeen(Arguments):
    """What is like what a camera shows now.

    Attributes:
        camera: Its id.
        view: What counts; None: as the settings say.
        matches: So many at most; None: as the settings say.
    """

    camera: str = Field(pattern=CAMERA)
    view: View | None = None
    matches: int | None = Field(default=None, ge=1, le=50)


class Newest(Arguments):
    """What was found last before cameras and by functions.

    Attributes:
        reader: A name of the caller's own choice: each match is told to it once. Empty: the newest, again and
            again.
        limit: So many at most.
        after: Without a reader: only what has a greater number.
        wait_s: Wait so many seconds for something new.
    """

    reader: str = Field(default="", max_length=64)
    limit: int = Field(default=10, ge=1, le=200)
    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0.0, ge=0, le=MOST_WAIT_S)


class Rate(Arguments):
    """Attributes: rate: of things not in the catalogue, the share that may find something; None: as set."""

    rate: float | None = Field(default=None, gt=0, lt=1)


class ByModel(Arguments):
    """Attributes: model: the network that is to describe the catalogue; None: that of the settings."""

    model: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")


class Search:
    """Looks into the catalogue for whoever may.

    Args:
        services: Where the process that searches listens.
    """

    def __init__(self, services: Services) -> None:
        self._search = Client(services.layout.socket("search"))

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        see, change = Permission.SEARCH, Permission.CATALOGUE
        return [
            Operation("search.by_picture", Like, see, self.by_picture, waits=True),
            Operation("search.by_features", LikeFeatures, see, self.by_features),
            Operation("search.by_camera", LikeSeen, see, self.by_camera, waits=True),
            Operation("search.newest", Newest, see, self.newest, waits=True),
            Operation("search.state", Nothing, see, self.state),
            Operation("search.calibrate", Rate, change, self.calibrate),
            Operation("search.refeaturize", ByModel, change, self.refeaturize),
        ]

    def by_picture(self, asked: Asked[Like]) -> Answer:
        """What is like the picture file in the blob, as `told_found`.

        Raises:
            FormError: No picture came along.
            PhotoError: It cannot be used as a picture.
            SearchError: There is nothing to search with.
            PeerGoneError: The process that searches does not run.
        """
        given = asked.arguments
        if not asked.blob:
            raise FormError("no picture came along", fields={"picture": "choose one"})
        message = SearchPicture(view=given.view, matches=given.matches)
        found = self._ask(message, Found, blob=asked.blob, timeout_s=_LOOK_S).message
        return Answer(told_found(found.found))

    def by_features(self, asked: Asked[LikeFeatures]) -> Answer:
        """What is like features; they do not say which network made them, and another one's find nonsense.

        As `told_found`, whose `featurizer` is the network that they have to be of.

        Raises:
            FeaturesError: They are not as many, all zero, not finite, or no numbers.
            SearchError: There is nothing to search with.
            PeerGoneError: The process that searches does not run.
        """
        given = asked.arguments
        message = json.dumps({"features": given.features}, separators=(",", ":")).encode()
        found = self._ask(SearchFeatures(matches=given.matches), Found, blob=message).message
        return Answer(told_found(found.found))

    def by_camera(self, asked: Asked[LikeSeen]) -> Answer:
        """What is like what a camera shows now, as `told_found`; what counted as a JPEG in the blob.

        The picture goes to who may look through cameras, and to nobody else.

        Raises:
            CameraLostError: There is no such camera, or it gives nothing.
            SearchError: There is nothing to search with.
            PeerGoneError: The process that searches does not run.
        """
        given = asked.arguments
        message = SearchCamera(camera=given.camera, view=given.view, matches=given.matches)
        reply = self._ask(message, Found, timeout_s=_LOOK_S)
        may_look = asked.who.may(Permission.LIVE)
        return Answer(told_found(reply.message.found), blob=reply.blob if may_look else b"")

    def newest(self, asked: Asked[Newest]) -> Answer:
        """What was found last, newest first, and is still in the catalogue: `{there, found, number, last}`.

        `found` are `told_found`, only where there was something; `number` goes in `after`. `last` is by
        `camera/ID` or `function/NAME` what came of the newest look-up there, nothing alike included. `there`
        is whether the process that searches runs.
        """
        given = asked.arguments
        # Each caller's readers are their own: nobody takes away what another one is to be shown.
        reader = f"{asked.who.id}/{given.reader}" if given.reader else ""
        message = AskNewest(reader=reader, limit=given.limit, after=given.after, wait_s=given.wait_s)
        try:
            told = self._ask(message, NewestTold, timeout_s=given.wait_s + _SLACK_S).message
        except PeerGoneError:
            return Answer({"there": False, "found": [], "number": 0, "last": {}})
        return Answer(
            {
                "there": True,
                "found": [told_found(each) for each in told.found],
                "number": told.number,
                "last": {name: told_found(each) for name, each in told.last.items()},
            }
        )

    def state(self, asked: Asked[Nothing]) -> Answer:
        """How searching goes.

        `{there, items, pictures, indexed, unreadable, featurizer, next_featurizer, model, threshold, basis,
        explained, calibrated_at, work: [{kind, done, total, words}], sources: [{source, name, state, words,
        looked_up, at}], trouble, hint, memory_bytes}`; only `there` where the process does not run.
        """
        del asked
        try:
            told = self._ask(AskSearch(), SearchTold).message
        except PeerGoneError:
            return Answer({"there": False})
        found = told.model_dump(mode="json", exclude={"type", "version"})
        found["calibrated_at"] = moment(told.calibrated_at)
        for source, each in zip(found["sources"], told.sources, strict=True):
            source["at"] = moment(each.at)
        return Answer({"there": True, **found})

    def calibrate(self, asked: Asked[Rate]) -> Answer:
        """Find the threshold anew; `search.state` says how it goes.

        Raises:
            PeerGoneError: The process that searches does not run.
        """
        self._ask(CalibrateSearch(rate=asked.arguments.rate, by=asked.who.id), Done)
        return Answer()

    def refeaturize(self, asked: Asked[ByModel]) -> Answer:
        """Describe the catalogue by another network; `search.state` says how it goes, searching goes on.

        Raises:
            ModelError: There is no such network, or it is not installed.
            PeerGoneError: The process that searches does not run.
        """
        message = RefeaturizeSearch(model=asked.arguments.model, by=asked.who.id)
        self._ask(message, Done, timeout_s=_LOOK_S)
        return Answer()

    def _ask(
        self, message: Message, answer: type[M], *, blob: bytes = b"", timeout_s: float = _SLACK_S
    ) -> Reply[M]:
        try:
            return self._search.call(message, answer, blob=blob, timeout_s=timeout_s)
        except PeerGoneError as error:
            raise PeerGoneError(
                "the part that searches for alike pictures does not run",
                hint="set search.enabled = true in the settings, and start the appliance anew",
            ) from error


def told_found(found: FoundTold) -> dict[str, Any]:
    """What came of a look-up, as JSON values.

    `{number, at, source, name, known, threshold, basis, matches, near, featurizer, searched, box, width,
    height, took_ms}`; a match is `{item, title, link, price, notes, picture, score}`, the best first; `near`
    the best one where none counts.
    """
    told: dict[str, Any] = found.model_dump(mode="json")
    told["at"] = moment(found.at)
    return told
