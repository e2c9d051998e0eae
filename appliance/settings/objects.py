"""The settings of object detection: on which cameras, by which network, what is worth an event.

Labels are checked against the network's own elsewhere (`appliance.app.checking`); here they are words.
"""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from appliance.settings.room import Fraction, Identifier, Room, field

Label = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z -]*$")]
"""What a network calls a thing: `dog`, `traffic light`."""
Rectangle = tuple[Fraction, Fraction, Fraction, Fraction]
WHOLE: Rectangle = (0.0, 0.0, 1.0, 1.0)


class _InFrame(Room):
    """Something with a rectangle in fractions of the frame."""

    region: Rectangle = field(
        WHOLE,
        "Left, top, right, bottom in fractions of the frame. A thing is where the middle of its box is.",
    )

    @model_validator(mode="after")
    def _upright(self) -> Self:
        left, top, right, bottom = self.region
        if not (left < right and top < bottom):
            raise ValueError("region must be left, top, right, bottom with left < right and top < bottom")
        return self


class ObjectRegionSettings(_InFrame):
    """A part of the frame in which things count, or do not."""

    kind: Literal["include", "ignore"] = field(
        "ignore",
        "ignore: what is there does not count (a television, a poster); include: only what is in a region of "
        "this kind counts.",
    )
    labels: tuple[Label, ...] = field((), "For which labels this holds; empty: for all.", max_length=100)


class ObjectTriggerSettings(_InFrame):
    """What is worth an event: `object_seen`, which rules act on."""

    id: Identifier = field(..., "Name of the trigger in its events.")
    label: Label = field(..., "What has to be seen, as the model calls it: dog, person, cup.")
    score: Fraction = field(0.6, "How certain the network must have been of it at least once.")
    dwell_s: float = field(
        1.0, "Seconds it must have been there; for so long it may be missed only briefly.", ge=0, le=3600
    )
    cool_down_s: float = field(
        60.0, "Seconds after such an event in which no other thing sets it off.", ge=0, le=86400
    )


class ObjectsSettings(Room):
    """Things looked for in one camera's frames, apart from faces and whatever the door does."""

    id: Identifier = field(..., "Name of this watch.")
    camera: Identifier = field(..., "Id of the camera in whose frames things are looked for.")
    model: Literal["voc", "coco", "yolox"] = field(
        "voc",
        "voc: 20 kinds of things, the fastest of what is installed; coco: 80 kinds, cups among them, and "
        "slower; yolox: the same 80, the best for its time, to be installed by its name.",
        command="appliance objects models",
    )
    fps: float = field(5.0, "Frames a second that are looked at, at most.", gt=0, le=60)
    labels: tuple[Label, ...] = field((), "Labels that count; empty: all of the model's.", max_length=100)
    threshold: Fraction = field(
        0.5, "How certain the network must be of a thing in a frame, for it to count.", ge=0.05
    )
    thresholds: dict[Label, Annotated[float, Field(ge=0.05, le=1)]] = field(
        {}, "The same for single labels, as in { dog = 0.7 }.", max_length=100
    )
    lost_after_s: float = field(
        2.0, "Seconds after which something that is not seen any more is gone.", ge=0.1, le=60
    )
    publish: Literal["nothing", "things", "frames"] = field(
        "things",
        "What is published to MQTT as DeepLens did, if there is a broker: nothing; every frame with things "
        "in it; or every frame looked at.",
    )
    regions: tuple[ObjectRegionSettings, ...] = field(
        (), "Parts of the picture in which things count, or do not.", max_length=32
    )
    triggers: tuple[ObjectTriggerSettings, ...] = field(
        (), "What is worth an event: which thing, how certain, for how long, and where.", max_length=32
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        twice = [name for name, count in Counter(each.id for each in self.triggers).items() if count > 1]
        if twice:
            raise ValueError(f"two triggers are called {twice[0]!r}")
        return self
