"""A picture of a draft as pages and the API show it: its verdict, its faces, and what is asked about it.

Likewise what was seen at a glance before a webcam. Judges nothing itself.
"""

from typing import Any

from appliance.values import Likeness, PhotoFace, SubjectId
from appliance.wire.messages import FacesGlanced
from enroll.desk.drafts import QUESTIONS, DraftPhoto
from enroll.photos import Candidate, Verdict, candidates, told
from enroll.telling import Names

_ASKS = frozenset({"SEVERAL_FACES", *QUESTIONS.values()})
"""Reasons that a person settles; every other one is a refusal."""
_VERY = 0.15
"""A score this far above the threshold is told as very much alike."""


def asks(verdict: Verdict) -> bool:
    """Whether it is for people to settle."""
    return bool(verdict.reasons) and set(verdict.reasons) <= _ASKS


TURNED = 0.13
"""From here on a face counts as turned; who looks straight ahead is measured up to 0.1 to either side."""


def glance_json(seen: FacesGlanced) -> dict[str, Any]:
    """What was seen at a glance, in shares of the picture, for a guide that is drawn over it."""
    told: dict[str, Any] = {"busy": seen.busy, "faces": seen.faces, "face": None}
    if seen.largest is not None:
        x, y, width, height = seen.largest.box
        turn = seen.largest.turn
        told["face"] = {
            "width": round(width / seen.width, 4),
            "x": round((x + width / 2) / seen.width, 4),
            "y": round((y + height / 2) / seen.height, 4),
            "turned": "straight" if abs(turn) < TURNED else "left" if turn > 0 else "right",
            "turn": round(turn, 3),
            "reasons": list(seen.largest.reasons),
        }
    return told


def photo_json(photo: DraftPhoto, verdict: Verdict, names: Names) -> dict[str, Any]:
    """A picture's verdict; boxes are x, y, width, height in pixels of the picture as it is seen."""
    found = photo.found
    faces = candidates(found.found) if found is not None else ()
    return {
        "photo": photo.id,
        "origin": photo.origin,
        "size": list(found.size) if found is not None else None,
        "verdict": "accepted" if verdict.accepted else "question" if asks(verdict) else "refused",
        "words": verdict.words,
        "advice": verdict.advice,
        "reasons": [
            {"code": reason, "words": told(reason).words, "advice": told(reason).advice}
            for reason in verdict.reasons
        ],
        "quality": round(verdict.quality),
        "faces": [_face(each) for each in faces],
        "more_faces": max(0, found.faces - len(faces)) if found is not None else 0,
        "chosen": photo.choice if photo.choice is not None else 1 if len(faces) == 1 else None,
        "same_as": None if verdict.same_as is None else _named(verdict.same_as, names),
        "alike": [_alike(each, names) for each in verdict.alike],
        "own": None
        if verdict.own is None
        else {"score": round(verdict.own[0], 4), "threshold": round(verdict.own[1], 4)},
        "settled": sorted(key for key, reason in QUESTIONS.items() if reason in photo.settled),
    }


def _face(each: Candidate) -> dict[str, Any]:
    face: PhotoFace = each.face
    box = face.box
    return {
        "face": each.number,
        "place": each.place,
        "box": [round(v, 1) for v in (box.x, box.y, box.width, box.height)],
        "quality": round(face.quality),
        "words": "; ".join(told(reason).words for reason in face.reasons),
    }


def _alike(each: Likeness, names: Names) -> dict[str, Any]:
    very = each.score - each.threshold >= _VERY
    return {
        **_named(each.subject, names),
        "score": round(each.score, 4),
        "threshold": round(each.threshold, 4),
        "words": "very much alike" if very else "alike enough to be taken for them at the door",
    }


def _named(subject: SubjectId, names: Names) -> dict[str, str]:
    return {"subject": subject, "name": names(subject)}
