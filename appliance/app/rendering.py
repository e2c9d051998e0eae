"""JPEGs of shared frames, for people who look: made in the models process, so that neither loop nor web does.

A frame is mapped for reading, drawn over or left as it is, made a JPEG, and forgotten. Nothing is
kept and nothing written; whoever asks says what subjects are to be called, so no name lives here.
"""

import json
import math
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from appliance.camera import Mark, annotate, encode_jpeg
from appliance.camera.annotate import COFFEE, FOUND, IDENTIFIED, STRANGER, UNDECIDED, object_mark
from appliance.camera.jpeg import shrunk
from appliance.decision.reasons import RULES
from appliance.errors import CameraLostError, WireError
from appliance.frames import FrameReader, SharedFrame
from appliance.values import ImageArray
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import RenderView, SeenDoor, SeenFace, SeenFound, SeenObject, ViewRendered

Labels = Mapping[str, str]
"""What to call subjects, by id."""

_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "đ": "d"})
"""Letters that do not come apart into a plain one and its mark."""
_NAMELESS = "person"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the loop saw in a frame.

    Attributes:
        doors: Door id → its state.
        faces: The nearest first, each with its decision's rule in words.
        objects: The most certain first.
        found: By visual search; None: nothing was looked up.
    """

    doors: Mapping[str, SeenDoor]
    faces: tuple[SeenFace, ...]
    objects: tuple[SeenObject, ...]
    found: SeenFound | None = None


class ViewHandlers:
    """What the models process answers to those who show pictures.

    Its lock is its own: a picture waits for pictures, never for a face to be embedded, nor the other way.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {RenderView: self.render}

    def render(self, request: Request[RenderView]) -> Reply[ViewRendered]:
        """A JPEG of a frame that is newer than the last one the caller had.

        Raises:
            CameraLostError: None came in time.
            WireError: No shared frames came along.
        """
        wanted = request.message
        frame = newer_frame(request.fds, wanted.after, wanted.wait_s)
        seen = seen_in(frame)
        with self._lock:
            picture = frame.bgr
            if wanted.kind == "project":
                picture = drawn_view(frame, seen, wanted.labels)
            content = encode_jpeg(shrunk(picture, wanted.width_px), wanted.quality)
        height, width = frame.bgr.shape[:2]
        told = ViewRendered(
            sequence=frame.stamp.sequence,
            at=frame.stamp.wall,
            width=width,
            height=height,
            doors=seen.doors,
            faces=seen.faces,
            objects=seen.objects,
            found=seen.found,
        )
        return Reply(told, blob=content)


def newer_frame(fds: Sequence[int], after: int, wait_s: float) -> SharedFrame:
    """A copy of the newest frame in shared memory, once it is newer than `after`.

    Raises:
        CameraLostError: None came in time: the camera is lost, or nobody writes there any more.
        WireError: There is not one descriptor, or it is no shared memory of ours.
    """
    if len(fds) != 1:
        raise WireError(f"{len(fds)} descriptors came along, not that of a camera's shared memory")
    with FrameReader(fds[0]) as reader:
        frame = reader.wait_newer(after, wait_s)
    if frame is None:
        raise CameraLostError(f"no newer frame came within {wait_s:g} s")
    return frame


def seen_in(frame: SharedFrame) -> Seen:
    """What the loop saw in a frame.

    Raises:
        WireError: The note beside the frame is none of ours.
    """
    try:
        note = json.loads(frame.note or b"{}")
        doors = {str(name): SeenDoor.model_validate(door) for name, door in note.get("doors", {}).items()}
        faces = tuple(
            SeenFace.model_validate({**face, "why": RULES.get(face.get("rule", ""), "")})
            for face in note.get("faces", [])
        )
        objects = tuple(SeenObject.model_validate(each) for each in note.get("objects", []))
        found = SeenFound.model_validate(note["found"]) if note.get("found") else None
    except (ValueError, AttributeError, TypeError, ValidationError) as error:
        raise WireError("the note beside a shared frame cannot be read") from error
    return Seen(doors, faces, objects, found)


def drawn_view(frame: SharedFrame, seen: Seen, labels: Labels) -> ImageArray:
    """A copy of a frame with things and faces, what and who they are, and the doors' states."""
    # Faces last: a person's box goes around their face's.
    marks = [_found_mark(seen.found)] if seen.found is not None else []
    marks += [object_mark(each.label, each.score, each.box) for each in seen.objects]
    marks += [_mark(face, labels) for face in seen.faces]
    marks += [_corner_mark(face) for face in seen.faces if face.coffee is not None]
    states = {name: f"{door.state} {door.fraction:.0%}" for name, door in seen.doors.items()}
    return annotate(frame.bgr, marks, states)


def _mark(face: SeenFace, labels: Labels) -> Mark:
    left, top, right, bottom = (round(each) for each in face.box)
    score = f" {face.score:+.2f}" if face.score is not None else ""
    if face.subject is not None:
        caption, colour = plain(labels.get(face.subject, _NAMELESS)) + score, IDENTIFIED
    elif face.stranger:
        caption, colour = "stranger" + score, STRANGER
    else:
        caption, colour = "?", UNDECIDED
    return Mark((left, top, right, bottom), caption, colour)


def _found_mark(found: SeenFound) -> Mark:
    return Mark(found.box, plain(found.words), FOUND if found.known else UNDECIDED)


def _corner_mark(face: SeenFace) -> Mark:
    """What the coffee corner tells of somebody, under their face."""
    left, top, right, bottom = (round(each) for each in face.box)
    told = face.coffee
    if told is None or told.phase == "counted":
        words = "+1 coffee"
    elif told.phase == "too_soon":
        words = f"next coffee in {max(1, math.ceil(told.left_s / 60))} min"
    else:
        words = f"coffee in {max(1, math.ceil(told.left_s))}..."
    below = bottom + (bottom - top) // 6
    return Mark((left, below, right, below), words, COFFEE)


def plain(name: str) -> str:
    """A name in the letters that can be drawn: marks fall off; one that has no such letter is a person."""
    apart = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    kept = "".join(each for each in apart if each.isascii() and each.isprintable()).strip()
    return kept or _NAMELESS
