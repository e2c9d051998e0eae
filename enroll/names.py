"""Names and file names as people wrote them: what is taken as a name, and what may be shown on a terminal."""

import unicodedata

from appliance.errors import EnrolmentError
from appliance.store.people import NAME_CHARS
from appliance.writing import writable


def usable_name(text: str) -> str | None:
    """A name as it is kept: composed (NFC), without blanks around it; None: it cannot be one.

    A name has 1 to 120 characters, all of them writing (`appliance.writing`): no line breaks, nothing that
    moves a cursor or turns the writing round, and no bytes that are not text.
    """
    name = unicodedata.normalize("NFC", text).strip()
    return name if 0 < len(name) <= NAME_CHARS and writable(name) else None


def checked_name(text: str) -> str:
    """Likewise.

    Raises:
        EnrolmentError: It cannot be one.
    """
    name = usable_name(text)
    if name is None:
        raise EnrolmentError(f"a name is 1 to {NAME_CHARS} visible characters")
    return name


def shown(text: str) -> str:
    """Somebody else's text (a file name), with what a terminal would act upon written as its code."""
    if writable(text):
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
