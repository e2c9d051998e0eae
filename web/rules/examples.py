"""Rules to begin with: each opens the editor filled in; nothing is done before it is saved. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Example:
    """A rule to begin with.

    Attributes:
        key: In the address of the editor.
        icon: Name of a symbol.
        title: What it does, in a line.
        words: What comes of it.
        rule: As the desk reads rules.
    """

    key: str
    icon: str
    title: str
    words: str
    rule: Mapping[str, Any]


EXAMPLES: Final = (
    Example(
        "theme-song",
        "song",
        "Greet everybody with their theme song",
        "Who comes in hears their own song on the box, of those who agreed to it.",
        {
            "name": "Theme songs",
            "on": "subject_identified",
            "when": {"cool_down_s": 300},
            "actions": [{"kind": "song", "song": "theme", "output": "box"}],
        },
    ),
    Example(
        "coffee",
        "coffee",
        "Count coffees and congratulate on the screen",
        "Every cup is counted by itself; the screen says something nice about it.",
        {
            "name": "Coffee",
            "on": "coffee_taken",
            "when": {},
            "actions": [{"kind": "screen", "text": "Enjoy your coffee, {alias}", "seconds": 6}],
        },
    ),
    Example(
        "stranger",
        "link",
        "Tell a webhook when a stranger is seen",
        "Chat, pager or your own program hears of it within seconds. No picture leaves the box.",
        {
            "name": "Strangers",
            "on": "stranger_seen",
            "when": {},
            "actions": [{"kind": "webhook", "webhook": ""}],
        },
    ),
    Example(
        "dog",
        "film",
        "Record a minute of video when a dog is seen",
        "The clip begins before the dog does, is kept sealed on the box, and plays in the browser.",
        {
            "name": "Dogs",
            "on": "object_seen",
            "when": {"labels": ["dog"]},
            "actions": [{"kind": "record", "camera": "", "seconds": 60}],
        },
    ),
)
"""In the order in which they are offered."""

BLANK: Final[Mapping[str, Any]] = {
    "name": "",
    "on": "subject_identified",
    "when": {},
    "actions": [{"kind": "song", "song": "theme", "output": "box"}],
}
"""What the editor begins with otherwise."""


def example(key: str) -> Mapping[str, Any]:
    """The rule that is called so; the blank one under any other name."""
    return next((each.rule for each in EXAMPLES if each.key == key), BLANK)
