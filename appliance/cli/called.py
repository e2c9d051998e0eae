"""What somebody may have meant who called something by a name that nothing bears: the names nearest to it."""

import difflib
from collections.abc import Iterable

MOST = 3


def nearest(word: str, names: Iterable[str | None], otherwise: str = "") -> str:
    """A hint: the names that are nearly that, at most three.

    Args:
        word: As it was typed.
        names: Of all there are; None where one cannot be read.
        otherwise: The hint where none is near.
    """
    folded = {name.casefold(): name for name in names if name}
    near = [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, n=MOST, cutoff=0.5)]
    return f"nearest: {', '.join(near)}" if near else otherwise
