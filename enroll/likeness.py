"""Pictures beside each other and beside the enrolled: the same again, somebody else's, not this person's.

What is found is a question to whoever enrols, never a silent yes: a picture is refused with its reason until
they say that they know. How alike two faces are, and from when on it matters, is told by `Compares`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from appliance.values import FloatArray, Likeness, SubjectId, Templates
from enroll.photos import Verdict


class Compares(Protocol):
    """Whoever knows the enrolled, and compares faces with them."""

    copy_limit: float
    """Score of `pairs` at which two pictures are one."""

    def copy_of(self, face: Templates) -> SubjectId | None:
        """Whose reference was made from the same picture, or None."""

    def alike(self, face: Templates, besides: SubjectId | None) -> tuple[Likeness, ...]:
        """Everybody, `besides` one, for whom the face would be taken at the door; most alike first."""

    def own(self, subject: SubjectId, face: Templates) -> tuple[float, float] | None:
        """How alike a face is to the references of one person, and from when on it counts as theirs.

        None: they have none.
        """

    def pairs(self, faces: Sequence[Templates]) -> tuple[FloatArray, FloatArray, float]:
        """How alike faces are to each other.

        Returns:
            As pictures (held against `copy_limit`), float32 (n, n); as people, float32 (n, n); and the score
            from which on the latter counts as the same person.
        """


def examine(
    verdicts: Sequence[Verdict],
    enrolled: Compares,
    *,
    to: SubjectId | None = None,
    although_alike: bool = False,
    although_different: bool = False,
) -> list[Verdict]:
    """Hold the usable ones of one person's pictures against each other and against everybody enrolled.

    Args:
        verdicts: Of `enroll.photos.judge`, of one person.
        enrolled: Who is.
        to: Who the pictures are for, if they are enrolled already.
        although_alike: It is known that a face looks like somebody else's.
        although_different: It is known that a face does not look like the others of this person.

    Returns:
        As many, in the same order.
    """
    found = _without_copies(verdicts, enrolled)
    usable = [place for place, verdict in enumerate(found) if verdict.accepted]
    own = [enrolled.own(to, found[place].templates) if to is not None else None for place in usable]
    if own and own[0] is None:
        fits = _consistent([found[place] for place in usable], enrolled)
    else:
        fits = [each is not None and each[0] >= each[1] for each in own]
    for place, fitting, measured in zip(usable, fits, own, strict=True):
        verdict = found[place]
        alike = enrolled.alike(verdict.templates, to)
        reasons = []
        if alike and not although_alike:
            reasons.append("LOOKS_LIKE")
        if not fitting and not although_different:
            reasons.append("DOES_NOT_MATCH")
        found[place] = replace(verdict, reasons=tuple(reasons), alike=alike, own=measured)
    return found


def _without_copies(verdicts: Sequence[Verdict], enrolled: Compares) -> list[Verdict]:
    """Copies of pictures given before, or just now, marked; of several copies the best one stays."""
    found = list(verdicts)
    for place, verdict in enumerate(found):
        if verdict.accepted and (whose := enrolled.copy_of(verdict.templates)) is not None:
            found[place] = replace(verdict, reasons=("SAME_PHOTO",), same_as=whose)
    usable = [place for place, verdict in enumerate(found) if verdict.accepted]
    as_pictures = enrolled.pairs([found[place].templates for place in usable])[0]
    kept: list[int] = []
    # The best first, so that what stays is the original rather than its thumbnail; of equals the earlier.
    for index in sorted(range(len(usable)), key=lambda each: (-found[usable[each]].quality, each)):
        if any(as_pictures[index, other] >= enrolled.copy_limit for other in kept):
            found[usable[index]] = replace(found[usable[index]], reasons=("SAME_PHOTO",))
        else:
            kept.append(index)
    return found


def _consistent(verdicts: Sequence[Verdict], enrolled: Compares) -> list[bool]:
    """Which pictures of somebody new are of one person: the larger part of them, if there is one.

    Pictures hang together that are alike themselves or by way of others. If no such group is larger than
    every other, nobody can say which is right, and none is.
    """
    _, as_people, threshold = enrolled.pairs([verdict.templates for verdict in verdicts])
    groups = _groups(as_people >= threshold)
    largest = max((len(group) for group in groups), default=0)
    right = [group for group in groups if len(group) == largest]
    return [len(right) == 1 and place in right[0] for place in range(len(verdicts))]


def _groups(linked: np.ndarray) -> list[set[int]]:
    """What hangs together, from a symmetric matrix of links."""
    left, groups = set(range(len(linked))), []
    while left:
        group, edge = set[int](), {min(left)}
        while edge:
            group |= edge
            edge = {int(each) for place in edge for each in np.flatnonzero(linked[place])} - group
        groups.append(group)
        left -= group
    return groups
