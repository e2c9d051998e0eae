"""What people may be called: writing of any script, and nothing that acts on what shows it.

Where names are kept, how long they may be and who checks them is not known here.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

_JOINERS: Final = "\u200c\u200d"
"""ZERO WIDTH NON-JOINER and JOINER: Persian, Hindi and others are spelled with them, and emoji joined."""


def writable(text: str) -> bool:
    """Whether all of a text is writing: printable, or a joiner that joins something.

    No line breaks, nothing that moves a cursor or turns the writing round, nothing else that is invisible.
    A joiner stands alone between two letters, marks or symbols of a script without capitals: there is nothing
    to be joined in the others, and two names that look the same are to be the same.
    """
    return all(_fit(text))


def legible(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """A text with something else in the place of each character that is no writing."""
    return "".join(each if fits else instead for each, fits in zip(text, _fit(text), strict=True))


def _fit(text: str) -> Iterator[bool]:
    """Of each character, whether it is writing where it stands."""
    for i, each in enumerate(text):
        between = text[max(i - 1, 0) : i] + text[i + 1 : i + 2]
        yield each.isprintable() or (
            each in _JOINERS and 0 < i < len(text) - 1 and all(_joined(beside) for beside in between)
        )


def _joined(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMS" and letter.lower() == letter.upper()
