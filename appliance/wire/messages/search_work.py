"""What is said about how searching goes, and about work on the catalogue; who searches answers."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from appliance.wire.messages.features import Model
from appliance.wire.messages.message import Message


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
