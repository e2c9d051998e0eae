"""The settings of coffee counting: in which cameras' corners, and who is counted how often."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from appliance.settings.room import Identifier, Room, field

_Label = Annotated[str, Field(pattern=r"^[a-z][a-z ]{0,31}$")]


class CoffeeSettings(Room):
    """Coffees counted."""

    cameras: tuple[Identifier, ...] = field(
        (),
        "Ids of the cameras that look at a coffee corner; they read faces when = 'always' or 'approach'. "
        "Empty: no coffee is counted.",
        scope="all",
        max_length=16,
    )
    model: Literal["coco", "yolox"] = field(
        "coco",
        "The network that finds cups: coco comes with the appliance; yolox finds smaller and darker ones, "
        "where it was installed.",
    )
    labels: tuple[_Label, ...] = field(
        ("cup",),
        "What counts as a coffee, as the network calls it: cup (which mugs are, too), wine glass, bottle.",
        min_length=1,
        max_length=8,
    )
    least_score: float = field(
        0.3, "How certain the network must be that it is a cup, 0 to 1.", ge=0.05, le=0.99
    )
    looks_per_s: float = field(
        5.0, "How often a second a cup is looked for at each person, at most.", gt=0, le=30
    )
    countdown_s: float = field(
        3.0, "Seconds for which a face and its cup must stay until the coffee counts.", ge=1, le=30
    )
    cool_down_s: float = field(
        10.0, "Seconds after a coffee in which the same camera begins no other.", ge=0, le=600
    )
    participation_s: float = field(
        300.0,
        "Seconds after a coffee in which the same person's next one does not count.",
        ge=0,
        le=86_400,
    )
    visitors: bool = field(
        default=False,
        description="Whether coffees of people who are not enrolled are counted, as 'visitor 7'. What they "
        "look like is kept in memory alone, so that the same person keeps the number for visitor_hours.",
    )
    visitor_hours: float = field(
        12.0, "Hours after a visitor's last coffee when they are forgotten.", gt=0, le=48
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.cameras)) != len(self.cameras):
            raise ValueError("cameras names one camera twice")
        return self
