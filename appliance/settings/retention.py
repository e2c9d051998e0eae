"""The settings of what goes when, and of the signed heads of the log that leave the box.

Captures have theirs beside what else is said of them (`evidence`). Photos people are enrolled from are never
kept, so that nothing can be said about them.
"""

from pathlib import Path

from appliance.settings.room import Room, field


class RetentionSettings(Room):
    """When the log and the counters go."""

    events_days: float | None = field(
        730.0,
        "Days after which events go from the log, 256 at a time once the newest of them is older; empty: "
        "they stay.",
        ge=7,
        le=36_500,
    )
    events_max_mib: int | None = field(
        4096,
        "Size of the database above which the oldest events go before their time; empty: they stay. They do "
        "not go by free space: what they leave the database keeps for new ones.",
        ge=16,
    )
    counters_days: int | None = field(
        400,
        "Days after which greetings and coffees counted per day go; empty: they stay. By nothing else: one "
        "takes a few dozen bytes.",
        ge=7,
        le=36_500,
    )


class HeadsSettings(Room):
    """Signed heads of the log, kept outside of the database."""

    every_s: float = field(
        3600.0,
        "Seconds after which the end of the log is signed and written out, if anything was logged since; it "
        "is when the appliance stops, too.",
        ge=1,
        le=86_400,
    )
    folder: Path | None = field(
        None,
        "A folder that signed heads are also written to: a share of another machine, for example. It is not "
        "made. Empty: none.",
    )
