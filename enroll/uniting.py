"""Two enrolments that may be of one person: what a merge would do, and doing it.

Whether they are one person is for whoever asks to say; how alike they look is told them.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from appliance.errors import EnrolmentError
from appliance.store import Merged, Store, Subject
from appliance.store.last_word import agreed_together
from appliance.values import SubjectId


class Alike(Protocol):
    """Whoever compares the enrolled with each other."""

    def between(self, one: SubjectId, other: SubjectId) -> tuple[float, float] | None:
        """Mean score of two people's references, and the threshold; None: one has none."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a merge would do.

    Attributes:
        keep: Who stays.
        other: Who is removed.
        measured: How alike they look, and from when on that is one person; None: one has no reference.
        agreed: What they would have agreed to as one.
    """

    keep: Subject
    other: Subject
    measured: tuple[float, float] | None
    agreed: tuple[str, ...]

    @property
    def alike(self) -> bool | None:
        """Whether they look like one person; None: it cannot be told."""
        return None if self.measured is None else self.measured[0] >= self.measured[1]


def proposal(store: Store, faces: Alike, keep: Subject, other: Subject) -> Proposal:
    """What letting `keep` take over `other` would do.

    Raises:
        EnrolmentError: They are one already.
    """
    if keep.id == other.id:
        raise EnrolmentError(
            "that is one person already", hint="name two", command="see: appliance enroll list"
        )
    return Proposal(
        keep,
        other,
        faces.between(keep.id, other.id),
        agreed_together(store.consents(keep.id), store.consents(other.id)),
    )


def merged_json(merged: Merged, of: Proposal) -> dict[str, Any]:
    """What a merge did, with stable names."""
    found = of.measured
    return {
        "subject": merged.subject.id,
        "merged": of.other.id,
        "references_moved": merged.references,
        "consents_moved": merged.consents,
        "references": merged.subject.references,
        "purposes": list(merged.subject.purposes),
        "strictness": merged.subject.strictness,
        "look_alike": of.alike,
        "score": None if found is None else round(found[0], 4),
        "threshold": None if found is None else round(found[1], 4),
        "key_destroyed": True,
        "write_ahead_log_emptied": merged.erased,
    }
