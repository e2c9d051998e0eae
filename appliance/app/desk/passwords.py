"""Passwords: what may be one, and their argon2id hashes. Keeps none, and compares in constant time.

The parameters are RFC 9106's second recommendation (64 MiB, three passes, four lanes). A hash made with
others still verifies, and is made anew at the next sign-in.
"""

import threading
import unicodedata
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from appliance.errors import FormError

SHORTEST: Final = 12
LONGEST: Final = 256
_FEWEST_DIFFERENT: Final = 5
_AT_ONCE: Final = 2
"""Passwords that are worked on at a time: each takes 64 MiB."""

_COMMON: Final = (
    *("password", "passwort", "motdepasse", "passw0rd", "letmein", "welcome", "qwerty", "qwertz", "azerty"),
    *("administrator", "changeme", "iloveyou", "trustno1", "officedoor", "appliance", "abcdef", "123456"),
)
"""What passwords begin their lives as; one that is little else is no password."""
_LEAST_BESIDE: Final = 8
"""Characters that have to be left when those and the login are taken out."""


class Passwords:
    """Makes and checks hashes.

    Args:
        hasher: With other parameters, for tests that make many.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys: str | None = None

    def prepare(self) -> None:
        """Make what a name that is not there is held against; else the first would take twice as long."""
        self._nobodys = self.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """What is kept of a password, in argon2's own notation."""
        with self._at_once:
            return self._hasher.hash(_one_way(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether this is the password; None: there is none, which takes as long to find out."""
        if kept is None:
            if self._nobodys is None:
                self.prepare()
            self._verifies(self._nobodys or "", password)
            return False
        return self._verifies(kept, password)

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(kept)

    def _verifies(self, kept: str, password: str) -> bool:
        with self._at_once:
            try:
                return self._hasher.verify(kept, _one_way(password))
            except (VerificationError, InvalidHashError):
                return False


def check_password(password: str, *, login: str, field: str = "password") -> None:
    """See that a new password is worth having; long beats colourful.

    Args:
        password: As it was typed.
        login: What its owner signs in as.
        field: Its name in the form.

    Raises:
        FormError: It is too short, too long, one character again and again, or hardly more than the login
            or a word everybody tries.
    """
    plain = _one_way(password)
    folded = plain.casefold()
    rest = folded
    for word in (login.casefold(), login.casefold().partition("@")[0], *_COMMON):
        if len(word) > 2:  # noqa: PLR2004 - taking out single letters would leave nothing of anything
            rest = rest.replace(word, "")
    if len(plain) < SHORTEST:
        words = f"at least {SHORTEST} characters; four words in a row do well"
    elif len(plain) > LONGEST:
        words = f"at most {LONGEST} characters"
    elif len(set(folded)) < _FEWEST_DIFFERENT:
        words = "more than the same few characters again and again"
    elif _runs(folded):
        words = "more than a row of the keyboard or the alphabet"
    elif rest != folded and len(rest) < _LEAST_BESIDE:
        words = "more than the sign-in name or a word that everybody tries first"
    else:
        return
    raise FormError(f"a password needs {words}", fields={field: words})


def _runs(folded: str) -> bool:
    """Whether it is hardly anything but neighbours: 123456789012, abcdefghijkl."""
    steps = [ord(b) - ord(a) for a, b in pairwise(folded)]
    return sum(step in {-1, 0, 1} for step in steps) > len(steps) * 0.8


def _one_way(password: str) -> str:
    """As it is hashed: the same whatever keyboard it was typed on."""
    return unicodedata.normalize("NFC", password)
