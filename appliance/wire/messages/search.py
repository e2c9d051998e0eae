"""What is said about looking things up by their likeness; who searches answers.

A picture or features are in the blob, and none of this is kept by who is asked but the newest matches.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from appliance.wire.messages.features import SearchView
from appliance.wire.messages.message import Message

_Camera = Annotated[str, Field(min_length=1, max_length=32)]
_Matches = Annotated[int, Field(ge=1, le=50)]


class MatchTold(BaseModel):
    """An item that is alike.

    Attributes:
        item: Its id.
        title: What it is called.
        link: An address; may be empty.
        price: May be empty.
        notes: May be empty.
        picture: Id of the picture of it that is most alike.
        score: Cosine, -1 to 1; higher is more alike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
    item: str
    title: str
    link: str = ""
    price: str = ""
    notes: str = ""
    picture: str
    score: float


class FoundTold(BaseModel):
    """What came of one look into the catalogue.

    Attributes:
        number: Counts what was looked up before cameras and by functions; 0: somebody asked for it.
        at: When, aware.
        source: `camera`, `function`, `picture`, or `features` of whoever asked by them.
        name: Id of the camera or name of the function; empty for a picture and for features.
        known: Whether the best match counts; no: there is nothing like it.
        threshold: From which score on it does.
        basis: Where that comes from: the settings, the calibration, or too few items for one.
        matches: Those that count, the best first.
        near: The best item where none counts, for whoever wonders.
        featurizer: Whose features were compared.
        searched: In how many items.
        box: What counted in the picture: left, top, right, bottom, pixels; None for features.
        width: Of the picture; 0 for features.
        height: Likewise.
        took_ms: From the features to the answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
    number: int = 0
    at: AwareDatetime
    source: Literal["camera", "function", "picture", "features"]
    name: str = ""
    known: bool
    threshold: float
    basis: Literal["settings", "catalogue", "default"]
    matches: tuple[MatchTold, ...] = ()
    near: MatchTold | None = None
    featurizer: str
    searched: int
    box: tuple[int, int, int, int] | None = None
    width: int = 0
    height: int = 0
    took_ms: float = 0.0


class SearchPicture(Message):
    """What is like the picture file in the blob? Answered by `Found`; asked of who searches, as all here.

    Attributes:
        view: What counts in it.
        matches: So many at most; None: as the settings say.
    """

    type: Literal["search_picture"] = "search_picture"
    version: Literal[1] = 1
    view: SearchView = "all"
    matches: _Matches | None = None


class SearchFeatures(Message):
    """What is like the features in the blob? Answered by `Found`.

    They are a message in the form of the DeepLens sample; see `appliance.search.features_message`.

    Attributes:
        matches: So many at most; None: as the settings say.
    """

    type: Literal["search_features"] = "search_features"
    version: Literal[1] = 1
    matches: _Matches | None = None


class SearchCamera(Message):
    """What is like what a camera shows now? Answered by `Found`, with what counted as a JPEG in the blob.

    Attributes:
        camera: Its id.
        view: What counts; None: as the settings say.
        matches: So many at most; None: as the settings say.
    """

    type: Literal["search_camera"] = "search_camera"
    version: Literal[1] = 1
    camera: _Camera
    view: SearchView | None = None
    matches: _Matches | None = None


class Found(Message):
    """What came of a look into the catalogue.

    Attributes:
        found: That.
    """

    type: Literal["found"] = "found"
    version: Literal[1] = 1
    found: FoundTold


class HandFeatures(Message):
    """A hosted function published features; its message is in the blob. Answered by `Done` at once.

    Attributes:
        function: Its name.
    """

    type: Literal["hand_features"] = "hand_features"
    version: Literal[1] = 1
    function: str = Field(min_length=1, max_length=64)


class AskNewest(Message):
    """What was found last, before cameras and by functions? Answered by `NewestTold`.

    Attributes:
        reader: A name for who asks, the same each time: it is shown each match once at most. Empty: the
            newest, whoever has seen them, and nobody counts as having seen them.
        limit: So many at most, newest first.
        after: Without a reader: only those with a greater number, and it is that number that is waited for.
        wait_s: Seconds to wait for one.
    """

    type: Literal["ask_newest"] = "ask_newest"
    version: Literal[1] = 1
    reader: str = Field(default="", max_length=128)
    limit: int = Field(default=10, ge=1, le=200)
    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0.0, ge=0, le=25)


class NewestTold(Message):
    """What was found last; only what there is something like is kept.

    Attributes:
        found: Newest first.
        number: Of the newest look-up, whether or not there was anything like it.
        last: By camera or function (`camera/NAME`, `function/NAME`): what came of its newest look-up, also
            where there is nothing like it.
    """

    type: Literal["newest_told"] = "newest_told"
    version: Literal[1] = 1
    found: tuple[FoundTold, ...]
    number: int
    last: Mapping[str, FoundTold] = {}
