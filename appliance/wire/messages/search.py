"""What is said about visual search: to the models process, which makes features, and to who searches.

Features are of pictures, not of people; a picture is in the blob, and none of this is kept by who is asked.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message

SearchView = Literal["all", "centre", "largest"]
"""What counts in a picture: all, a square in its middle, the largest thing that a detector finds in it."""
Features = Annotated[tuple[float, ...], Field(min_length=2, max_length=8192)]
"""Of length 1. float32 survives JSON exactly."""
Model = Annotated[str, Field(min_length=1, max_length=64)]
_Camera = Annotated[str, Field(min_length=1, max_length=32)]
_Matches = Annotated[int, Field(ge=1, le=50)]


class FeaturizePicture(Message):
    """Describe the picture file in the blob. Answered by `PictureFeaturized`; asked of the models process.

    Attributes:
        models: Networks, by their ids in the manifest, each of which makes features.
        view: What counts.
        jpeg: Whether what counts is given back, small, as a JPEG in the blob: as it is kept.
        variations: Whether it is described also as it could look before a camera; see `search.varied`.
    """

    type: Literal["featurize_picture"] = "featurize_picture"
    version: Literal[1] = 1
    models: tuple[Model, ...] = Field(min_length=1, max_length=4)
    view: SearchView = "all"
    jpeg: bool = False
    variations: bool = False


class PictureFeaturized(Message):
    """A picture, described.

    Attributes:
        width: Of the picture as it came, pixels.
        height: Likewise.
        box: What counts in it: left, top, right, bottom, pixels.
        width_px: Of the JPEG in the blob; 0: there is none.
        height_px: Likewise.
        features: Featurizer (model and the beginning of a hash) → features of what counts.
        variations: By the first of the models, of each variation.
    """

    type: Literal["picture_featurized"] = "picture_featurized"
    version: Literal[1] = 1
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    box: tuple[int, int, int, int]
    width_px: int = 0
    height_px: int = 0
    features: Mapping[str, Features]
    variations: tuple[Features, ...] = ()


class FeaturizeFrame(Message):
    """Describe the newest frame in the shared memory whose descriptor comes along, as `FeaturizePicture`.

    Answered by `FrameFeaturized`.

    Attributes:
        models: As there.
        view: As there.
        jpeg: As there.
        after: Wait for a frame with a greater sequence than this.
        wait_s: Seconds to wait for one.
    """

    type: Literal["featurize_frame"] = "featurize_frame"
    version: Literal[1] = 1
    models: tuple[Model, ...] = Field(min_length=1, max_length=4)
    view: SearchView = "centre"
    jpeg: bool = False
    after: int = -1
    wait_s: float = Field(default=1.0, ge=0, le=5)


class FrameFeaturized(Message):
    """A frame, described; see `PictureFeaturized`.

    Attributes:
        sequence: The camera's frame number.
        at: When it was taken, aware.
    """

    type: Literal["frame_featurized"] = "frame_featurized"
    version: Literal[1] = 1
    sequence: int
    at: AwareDatetime
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    box: tuple[int, int, int, int]
    width_px: int = 0
    height_px: int = 0
    features: Mapping[str, Features]


class AskFeaturizer(Message):
    """What are a network's features called? Answered by `FeaturizerTold`; asked of the models process.

    Attributes:
        model: Its id in the manifest.
    """

    type: Literal["ask_featurizer"] = "ask_featurizer"
    version: Literal[1] = 1
    model: Model


class FeaturizerTold(Message):
    """A network that can describe pictures.

    Attributes:
        featurizer: Model and the beginning of a hash of its file, and of what the settings say of it.
        numbers: How many numbers features have.
    """

    type: Literal["featurizer_told"] = "featurizer_told"
    version: Literal[1] = 1
    featurizer: str
    numbers: int = Field(ge=2)


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
        source: `camera`, `function` or `picture`.
        name: Id of the camera or name of the function; empty for a picture.
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
    source: Literal["camera", "function", "picture"]
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
    """What is like the picture file in the blob? Answered by `Found`; asked of who searches, as all below.

    Attributes:
        view: What counts in it.
        matches: So many at most; None: as the settings say.
    """

    type: Literal["search_picture"] = "search_picture"
    version: Literal[1] = 1
    view: SearchView = "all"
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


class AskSearch(Message):
    """How does searching go? Answered by `SearchTold`."""

    type: Literal["ask_search"] = "ask_search"
    version: Literal[1] = 1


class SearchWork(BaseModel):
    """Work on the catalogue that takes its time.

    Attributes:
        kind: Reading the index; making features that are missing; making another featurizer's features;
            calibrating the threshold.
        done: So many pictures.
        total: Of so many; 0: not known.
        words: What stands in the way; empty: it goes on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    kind: Literal["loading", "repairing", "refeaturizing", "calibrating"]
    done: int
    total: int
    words: str = ""


class SearchSource(BaseModel):
    """A camera that is watched, or a function that publishes features.

    Attributes:
        source: Which of both.
        name: Id or name.
        state: `watching`; `lost`: nothing comes, or it is tried again; `unfit`: its features are not of the
            featurizer that is searched with.
        words: Why; empty while it is `watching`.
        looked_up: So many things, since the start.
        at: When the newest was, aware; None: none yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    source: Literal["camera", "function"]
    name: str
    state: Literal["watching", "lost", "unfit"]
    words: str = ""
    looked_up: int = 0
    at: AwareDatetime | None = None


class SearchTold(Message):
    """How searching goes.

    Attributes:
        items: In the catalogue.
        pictures: Likewise.
        indexed: Pictures that are searched in.
        unreadable: Pictures that cannot be described, and so are not found.
        featurizer: Whose features are searched; empty: there are none yet.
        next_featurizer: Whose are being made; empty: nobody's.
        model: Which the settings want.
        threshold: From which score on a match counts.
        basis: Where that comes from.
        explained: The newest calibration, in words; empty: none since the start.
        calibrated_at: When the threshold was calibrated, aware.
        work: What is being done on the catalogue.
        sources: Cameras and functions.
        trouble: What stands in the way of searching; empty: nothing.
        hint: What to do about that.
        memory_bytes: That the index takes, about.
    """

    type: Literal["search_told"] = "search_told"
    version: Literal[1] = 1
    items: int
    pictures: int
    indexed: int
    unreadable: int = 0
    featurizer: str = ""
    next_featurizer: str = ""
    model: str
    threshold: float
    basis: Literal["settings", "catalogue", "default"]
    explained: str = ""
    calibrated_at: AwareDatetime | None = None
    work: tuple[SearchWork, ...] = ()
    sources: tuple[SearchSource, ...] = ()
    trouble: str = ""
    hint: str = ""
    memory_bytes: int = 0


class CalibrateSearch(Message):
    """Find the threshold anew. Answered by `Done` at once; `SearchTold` says how it goes.

    Attributes:
        rate: Share of things not in the catalogue that may find something all the same; None: as the
            settings say.
        by: Who asked for it.
    """

    type: Literal["calibrate_search"] = "calibrate_search"
    version: Literal[1] = 1
    rate: float | None = Field(default=None, gt=0, lt=1)
    by: str | None = None


class RefeaturizeSearch(Message):
    """Describe all pictures by another network, then search with that. Answered by `Done` at once.

    `SearchTold` says how it goes; meanwhile the old features are searched.

    Attributes:
        model: Its id in the manifest; None: that of the settings.
        by: Who asked for it.
    """

    type: Literal["refeaturize_search"] = "refeaturize_search"
    version: Literal[1] = 1
    model: Model | None = None
    by: str | None = None


class ShowFound(Message):
    """Draw on a camera's project view what was found before it. Asked of the loop, answered by `Done`.

    Attributes:
        camera: Its id.
        words: What to write; empty: nothing any more.
        known: Whether it is something of the catalogue.
        box: What counted: left, top, right, bottom, pixels of the whole frame.
        for_s: Seconds for which it is shown.
    """

    type: Literal["show_found"] = "show_found"
    version: Literal[1] = 1
    camera: _Camera
    words: str = Field(max_length=200)
    known: bool
    box: tuple[int, int, int, int]
    for_s: float = Field(default=8.0, gt=0, le=60)
