"""The desk's operations on the pictures of a draft: looked at, chosen from, answered about, left out.

What is asked about a picture (which face, looks like somebody, does not look like the others) is answered
by people only. No picture is kept: what was found in it is.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from appliance.app.desk.operations import Answer, Asked, Nothing, Operation
from appliance.errors import DeniedError, FormError, InputError, PhotoError
from appliance.permissions import Permission
from appliance.picture_files import Embeds
from enroll.desk.drafts import QUESTIONS, DraftPhoto, Drafts, owner_of
from enroll.desk.looking import MOST_BYTES, Glances, Snapshots
from enroll.desk.standing import OfDraft, Standing
from enroll.desk.verdicts import glance_json


class Judge(OfDraft):
    """Another picture for a draft; its file is in the blob."""

    origin: Literal["photo", "webcam"] = "photo"


class Look(OfDraft):
    """How somebody stands before the webcam; a small picture of it is in the blob."""


class Snap(OfDraft):
    """A picture from a camera of the box, for a draft."""

    camera: str = Field(min_length=1, max_length=64)


class OfPhoto(OfDraft):
    """Which picture of it."""

    photo: str = Field(min_length=1, max_length=64)


class Choose(OfPhoto):
    """Which face of it is meant, from 1 from the left; None: it is open again."""

    face: int | None = Field(default=None, ge=1, le=1000)


class Say(OfPhoto):
    """That something about a picture is known: `alike` or `different`; or that it is not after all."""

    although: Literal["alike", "different"]
    known: bool = True


class Pictures:
    """Pictures of enrolments under way.

    Args:
        standing: Tells how a draft stands.
        drafts: Where they are kept meanwhile.
        models: Who decodes and embeds pictures.
        snapshots: Who has the cameras' pictures.
        glances: Who sees how somebody stands before a webcam.
        cameras: Their ids.
    """

    def __init__(
        self,
        standing: Standing,
        drafts: Drafts,
        models: Embeds,
        snapshots: Snapshots,
        *,
        glances: Glances,
        cameras: Sequence[str] = (),
    ) -> None:
        self._standing = standing
        self._drafts = drafts
        self._models = models
        self._glances = glances
        self._snapshots = snapshots
        self._cameras = tuple(cameras)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        enrol = Permission.ENROL
        return [
            Operation("enrol.cameras", Nothing, enrol, self.cameras),
            Operation("enrol.judge", Judge, enrol, self.judge),
            Operation("enrol.look", Look, enrol, self.look),
            Operation("enrol.snapshot", Snap, enrol, self.snapshot),
            Operation("enrol.choose_face", Choose, enrol, self.choose_face),
            Operation("enrol.answer", Say, enrol, self.answer),
            Operation("enrol.drop_photo", OfPhoto, enrol, self.drop_photo),
        ]

    def cameras(self, asked: Asked[Nothing]) -> Answer:
        """The cameras that a picture may be taken with; none for who may not look through them."""
        may = asked.who.may(Permission.LIVE)
        return Answer({"cameras": list(self._cameras) if may else []})

    def judge(self, asked: Asked[Judge]) -> Answer:
        """Look at another picture; its file is not kept."""
        return self._add(asked, asked.arguments.draft, asked.blob, asked.arguments.origin)

    def look(self, asked: Asked[Look]) -> Answer:
        """How somebody stands before the webcam, for the guide: nothing is kept, nothing is added.

        The answer: `busy` instead of waiting; how many `faces`; and of the largest its `width` and middle
        `x`, `y` in shares of the picture, whether it is `turned` `left`, `right` (their own) or `straight`,
        by how much (`turn`), and what is wrong with it (`reasons`).

        Raises:
            FormError: What came is no small picture.
        """
        self._drafts.touch(asked.arguments.draft, owner_of(asked.who))
        try:
            return Answer(glance_json(self._glances.glance(asked.blob)))
        except PhotoError as error:
            raise FormError(error.message, fields={"picture": "a small picture file is needed"}) from error

    def snapshot(self, asked: Asked[Snap]) -> Answer:
        """Take the newest picture of a camera; it comes back in the blob, to choose a face, and is not kept.

        Raises:
            DeniedError: Who asks may enrol, and may not look through the cameras.
        """
        if not asked.who.may(Permission.LIVE):
            raise DeniedError("this needs the permission 'live', too: it shows what a camera sees")
        self._need_room(asked, asked.arguments.draft)
        picture = self._snapshots.snapshot(asked.arguments.camera)
        answer = self._add(asked, asked.arguments.draft, picture, "camera")
        return replace(answer, blob=picture)

    def choose_face(self, asked: Asked[Choose]) -> Answer:
        """Say which face of a picture is meant; what was answered about another one is forgotten."""
        given = asked.arguments
        with self._drafts.held(given.draft, owner_of(asked.who)) as draft:
            photo = draft.photo(given.photo)
            if given.face is not None and (photo.found is None or given.face > len(photo.found.found)):
                raise InputError("there is no face of that number", hint="count from the left")
            draft.put(replace(photo, choice=given.face, settled=frozenset()))
        return self._standing.answer(asked, given.draft)

    def answer(self, asked: Asked[Say]) -> Answer:
        """Say that a picture's likeness, or the lack of it, is known."""
        given = asked.arguments
        reason = QUESTIONS[given.although]
        with self._drafts.held(given.draft, owner_of(asked.who)) as draft:
            photo = draft.photo(given.photo)
            settled = photo.settled | {reason} if given.known else photo.settled - {reason}
            draft.put(replace(photo, settled=settled))
        return self._standing.answer(asked, given.draft)

    def drop_photo(self, asked: Asked[OfPhoto]) -> Answer:
        """Leave a picture out."""
        with self._drafts.held(asked.arguments.draft, owner_of(asked.who)) as draft:
            draft.drop(asked.arguments.photo)
        return self._standing.answer(asked, asked.arguments.draft)

    def _need_room(self, asked: Asked[Any], draft: str) -> None:
        with self._drafts.held(draft, owner_of(asked.who)) as found:
            found.need_room()

    def _add(self, asked: Asked[Any], draft: str, content: bytes, origin: str) -> Answer:
        """Look at a picture and add what was found; nobody is kept waiting for the models meanwhile."""
        self._need_room(asked, draft)
        photo = self._looked(content, origin)
        with self._drafts.held(draft, owner_of(asked.who)) as found:
            number = 1 + max((int(each.id) for each in found.photos), default=0)
            found.add(replace(photo, id=str(number)))
        return self._standing.answer(asked, draft, added=str(number))

    def _looked(self, content: bytes, origin: str) -> DraftPhoto:
        sha256 = hashlib.sha256(content).hexdigest()
        if len(content) > MOST_BYTES:
            return DraftPhoto("", sha256, origin, None, "too_many_bytes")
        try:
            found = self._models.embed(content)
        except PhotoError as error:
            return DraftPhoto("", sha256, origin, None, error.reason)
        return DraftPhoto("", sha256, origin, found)
