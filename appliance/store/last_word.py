"""Whose word counts when two enrolments turn out to be of one person: for each purpose the later one.

Somebody who took a purpose back under one name does not get it again because they gave it, earlier, under
another. Reads consents; changes none.
"""

from collections.abc import Sequence
from datetime import datetime

from appliance.store.records import KeptConsent


def overruled(one: Sequence[KeptConsent], other: Sequence[KeptConsent]) -> dict[str, dict[str, datetime]]:
    """The purposes in force of either that the other took back later.

    A purpose that somebody took back and has in force all the same, by another consent of theirs, is not
    taken back. Of two words of the same moment the withdrawal counts.

    Args:
        one: Every consent of the one, those withdrawn included.
        other: Likewise of the other.

    Returns:
        Id of a consent in force → purpose → when it was taken back; the same whoever comes first.
    """
    found: dict[str, dict[str, datetime]] = {}
    for mine, theirs in ((one, other), (other, one)):
        taken_back = _taken_back(theirs)
        for consent in mine:
            if consent.withdrawn_at is not None:
                continue
            ended = {
                purpose: taken_back[purpose]
                for purpose in consent.purposes
                if purpose in taken_back and taken_back[purpose] >= consent.given_at
            }
            if ended:
                found[consent.id] = ended
    return found


def agreed_together(one: Sequence[KeptConsent], other: Sequence[KeptConsent]) -> tuple[str, ...]:
    """What the two would have agreed to as one person, sorted."""
    ended = overruled(one, other)
    return tuple(
        sorted(
            {
                purpose
                for consent in (*one, *other)
                if consent.withdrawn_at is None
                for purpose in consent.purposes
                if purpose not in ended.get(consent.id, {})
            }
        )
    )


def _taken_back(consents: Sequence[KeptConsent]) -> dict[str, datetime]:
    """Purpose → when it was taken back for good, of one person."""
    in_force = {
        purpose for consent in consents if consent.withdrawn_at is None for purpose in consent.purposes
    }
    found: dict[str, datetime] = {}
    for consent in consents:
        for purpose in consent.purposes:
            if consent.withdrawn_at is not None and purpose not in in_force:
                found[purpose] = max(consent.withdrawn_at, found.get(purpose, consent.withdrawn_at))
    return found
