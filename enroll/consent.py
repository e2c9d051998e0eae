"""What people agree to, in which words, and how those words are named.

Keeps the text and its version; who agreed and when is a row in the store.
"""

import hashlib
from collections.abc import Collection

from appliance.errors import EnrolmentError

PURPOSES = {
    "identify": "be recognised at the door, which admins see in the log",
    "greet": "be greeted by name on the office screen",
    "song": "have a theme song played",
    "leaderboard": "have greetings at the door and coffees counted, and shown on the office screen",
    "unlock": "have the door unlocked",
    "last_seen": "have everybody who may look at the pages, not admins alone, see when they were recognised",
}
"""What a consent may cover; `identify` is the one without which there is no reference."""

OPENS = "unlock"
"""The purpose of which no program says that somebody agreed to it, nor changes who is taken for them."""

TEXT = """\
I agree that the appliance at the office door keeps mathematical templates of my face, made
from the pictures I hand over or have taken, and compares people who come in with them, for the
purposes named beside this text. Admins, who answer for what it decides, see in its log when I was
recognised; others see that only if I agree to it. The templates stay on the appliance, sealed under a key of
their own. I can withdraw at any time; that key is then destroyed and the templates with it.
Saying no has no disadvantage: the door opens by other means as before.
"""


def text_version(text: str) -> str:
    """What names a wording: another whenever a letter of it is another."""
    return f"1-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


TEXT_VERSION = text_version(TEXT)
"""Names the wording of `TEXT`; kept with every consent."""


GIVEN_BY_CHARS = 500


def usable_given_by(text: str) -> str | None:
    """How somebody agreed, as it is kept; None: it cannot be that."""
    agreed = text.strip()
    return agreed if 0 < len(agreed) <= GIVEN_BY_CHARS and agreed.isprintable() else None


def checked_purposes(wanted: Collection[str]) -> tuple[str, ...]:
    """The purposes in a fixed order.

    Raises:
        EnrolmentError: One is unknown, or `identify` is missing.
    """
    unknown = sorted(set(wanted) - set(PURPOSES))
    if unknown:
        raise EnrolmentError(f"unknown purpose {unknown[0]!r}", hint=f"there are: {', '.join(PURPOSES)}")
    if "identify" not in wanted:
        raise EnrolmentError(
            "without the purpose 'identify' nobody can be enrolled", hint="ask for it, or do not enrol"
        )
    return tuple(purpose for purpose in PURPOSES if purpose in wanted)
