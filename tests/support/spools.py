"""Spools that are filled."""

from datetime import datetime, timedelta

from captures import NOW, make_shot

from appliance.errors import EvidenceError
from appliance.evidence import Spool


def fill(
    spool: Spool, count: int, *, at: datetime = NOW, apart: timedelta = timedelta(minutes=1)
) -> list[str]:
    """Store captures one after the other; their ids, oldest first."""
    return [spool.store([make_shot()], {}, at + n * apart).id for n in range(count)]


def store_until_refused(spool: Spool) -> list[str]:
    """Store captures until one is refused; the ids of those that were not."""
    stored = []
    while True:
        try:
            stored.append(spool.store([make_shot(size=(320, 240))], {}, NOW + timedelta(days=len(stored))).id)
        except EvidenceError as refused:
            return [*stored, refused.reason]
