"""The desk's operations that enrol: begin with a name and a consent, judge pictures, answer, commit.

Each answer carries the whole draft as it stands, for a picture's verdict may change with those beside it.
What is asked about a picture (which face, looks like somebody, does not look like the others) is answered
by people only. Judging and keeping are shared with `appliance enroll add`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, model_validator

from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.errors import DeniedError, EnrolmentError, FormError, InputError, PhotoError
from appliance.permissions import Permission
from appliance.picture_files import Embeds
from appliance.store import IDENTIFY, Store, Subject
from enroll.desk.cards import card, safety_in_short
from enroll.desk.drafts import LEFT_S, LIFE_S, MOST_PHOTOS, QUESTIONS, Draft, DraftPhoto, Drafts, owner_of
from enroll.desk.filled import Agreement, PersonId, checked_alias, checked_field_name, checked_initials
from enroll.desk.knowing import Knowledge
from enroll.desk.looking import MOST_BYTES, Glances, Snapshots
from enroll.desk.people import person
from enroll.desk.verdicts import asks, glance_json, photo_json
from enroll.keeping import keep, namesakes
from enroll.likeness import examine
from enroll.photos import Verdict, judge_looked, need_accepted
from enroll.telling import Names, label


class Begin(Arguments):
    """Who is to be enrolled, and what they agreed to.

    Attributes:
        name: Of somebody new.
        initials: Likewise; made from the name where there are none.
        alias: What the office screen calls somebody new.
        to: Whoever is enrolled and is given more pictures, instead of a name.
        namesake: It is known that somebody of that name is enrolled; this is another.
        consent: What they agreed to; may be missing for somebody who agreed before.
    """

    name: str = ""
    initials: str | None = None
    alias: str | None = None
    to: PersonId | None = None
    namesake: bool = False
    consent: Agreement | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Begin":
        if self.to is not None and (self.name or self.initials or self.alias or self.namesake):
            raise ValueError("somebody enrolled has a name already")
        return self


class OfDraft(Arguments):
    """Which draft."""

    draft: str = Field(min_length=1, max_length=64)


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


class AddTo(OfDraft):
    """That the pictures are of somebody enrolled already."""

    person: PersonId


class Enrolling:
    """Enrolments under way, from the first name to the references.

    Args:
        store: Opened, with a key.
        knowledge: Of the same store.
        drafts: Where they are kept meanwhile.
        models: Who decodes and embeds pictures.
        snapshots: Who has the cameras' pictures.
        glances: Who sees how somebody stands before a webcam.
        cameras: Their ids.
    """

    def __init__(
        self,
        store: Store,
        knowledge: Knowledge,
        drafts: Drafts,
        models: Embeds,
        snapshots: Snapshots,
        *,
        glances: Glances,
        cameras: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._knowledge = knowledge
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
            Operation("enrol.begin", Begin, enrol, self.begin),
            Operation("enrol.show", OfDraft, enrol, self.show),
            Operation("enrol.judge", Judge, enrol, self.judge),
            Operation("enrol.look", Look, enrol, self.look),
            Operation("enrol.snapshot", Snap, enrol, self.snapshot),
            Operation("enrol.choose_face", Choose, enrol, self.choose_face),
            Operation("enrol.answer", Say, enrol, self.answer),
            Operation("enrol.drop_photo", OfPhoto, enrol, self.drop_photo),
            Operation("enrol.add_to", AddTo, enrol, self.add_to),
            Operation("enrol.commit", OfDraft, enrol, self.commit),
            Operation("enrol.leave", OfDraft, enrol, self.leave),
            Operation("enrol.discard", OfDraft, enrol, self.discard),
        ]

    def cameras(self, asked: Asked[Nothing]) -> Answer:
        """The cameras that a picture may be taken with; none for who may not look through them."""
        may = asked.who.may(Permission.LIVE)
        return Answer({"cameras": list(self._cameras) if may else []})

    def begin(self, asked: Asked[Begin]) -> Answer:
        """Begin an enrolment, with the consent that it needs; no picture is looked at before."""
        given = asked.arguments
        subject = None if given.to is None else person(self._store, given.to)
        if subject is None:
            name = checked_field_name(given.name)
            same = namesakes(self._store, name)
            if same and not given.namesake:
                # A question, and no error: the page shows who they are.
                return Answer({"draft": None, "namesakes": [card(self._store, each) for each in same]})
        else:
            name = label(subject)
        if given.consent is None and (subject is None or IDENTIFY not in subject.purposes):
            raise FormError(
                "nobody is enrolled before they have agreed",
                fields={"consent": "say what they agreed to, and how"},
            )
        first = subject is None or IDENTIFY not in subject.purposes
        draft = self._drafts.begin(
            owner_of(asked.who),
            name,
            checked_initials(given.initials),
            checked_alias(given.alias),
            None if subject is None else subject.id,
            None if given.consent is None else given.consent.consent(first=first),
            namesake=given.namesake,
        )
        return self._shown(asked, draft.id)

    def show(self, asked: Asked[OfDraft]) -> Answer:
        """The draft as it stands."""
        return self._shown(asked, asked.arguments.draft)

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
        return self._shown(asked, given.draft)

    def answer(self, asked: Asked[Say]) -> Answer:
        """Say that a picture's likeness, or the lack of it, is known."""
        given = asked.arguments
        reason = QUESTIONS[given.although]
        with self._drafts.held(given.draft, owner_of(asked.who)) as draft:
            photo = draft.photo(given.photo)
            settled = photo.settled | {reason} if given.known else photo.settled - {reason}
            draft.put(replace(photo, settled=settled))
        return self._shown(asked, given.draft)

    def drop_photo(self, asked: Asked[OfPhoto]) -> Answer:
        """Leave a picture out."""
        with self._drafts.held(asked.arguments.draft, owner_of(asked.who)) as draft:
            draft.drop(asked.arguments.photo)
        return self._shown(asked, asked.arguments.draft)

    def add_to(self, asked: Asked[AddTo]) -> Answer:
        """The pictures turn out to be of somebody enrolled: they are added to them."""
        subject = person(self._store, asked.arguments.person)
        with self._drafts.held(asked.arguments.draft, owner_of(asked.who)) as draft:
            draft.to, draft.name = subject.id, label(subject)
            draft.initials, draft.alias, draft.namesake = None, None, False
            for photo in draft.photos:
                draft.put(replace(photo, settled=frozenset()))
        return self._shown(asked, asked.arguments.draft)

    def commit(self, asked: Asked[OfDraft]) -> Answer:
        """Keep what was accepted, with the consent, in one transaction; a draft is committed once.

        Raises:
            EnrolmentError: No picture can be used, a question is open, or somebody of that name was enrolled
                meanwhile.
        """
        owner = owner_of(asked.who)
        with self._drafts.held(asked.arguments.draft, owner) as draft:
            verdicts = self._verdicts(draft)
            subject = None if draft.to is None else person(self._store, draft.to)
            accepted = need_accepted(verdicts)
            if subject is None and not draft.namesake and namesakes(self._store, draft.name):
                raise EnrolmentError(
                    "somebody of that name was enrolled meanwhile", hint="look at the list, and begin again"
                )
            kept = keep(
                self._store, subject, draft.name, draft.initials, draft.consent, accepted, alias=draft.alias
            )
            # While it is held: pressed twice, it is done once.
            self._drafts.forget(draft)
        names = Names.of(self._store)
        return Answer(
            {
                "person": card(self._store, person(self._store, kept)),
                "new": subject is None,
                "added": len(accepted),
                "left_out": len(verdicts) - len(accepted),
                "safety": safety_in_short(self._knowledge.safety(), names),
            }
        )

    def leave(self, asked: Asked[OfDraft]) -> Answer:
        """The page was left: forget the draft in a moment, unless it is asked for again, as by a reload."""
        self._drafts.leave(asked.arguments.draft, owner_of(asked.who))
        return Answer({"left_s": LEFT_S})

    def discard(self, asked: Asked[OfDraft]) -> Answer:
        """Forget the draft, and everything in it."""
        with self._drafts.held(asked.arguments.draft, owner_of(asked.who)) as draft:
            self._drafts.forget(draft)
        return Answer({"discarded": True})

    # ------------------------------------------------------------

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
        return self._shown(asked, draft, added=str(number))

    def _looked(self, content: bytes, origin: str) -> DraftPhoto:
        sha256 = hashlib.sha256(content).hexdigest()
        if len(content) > MOST_BYTES:
            return DraftPhoto("", sha256, origin, None, "too_many_bytes")
        try:
            found = self._models.embed(content)
        except PhotoError as error:
            return DraftPhoto("", sha256, origin, None, error.reason)
        return DraftPhoto("", sha256, origin, found)

    def _shown(self, asked: Asked[Any], draft: str, *, added: str | None = None) -> Answer:
        with self._drafts.held(draft, owner_of(asked.who)) as found:
            verdicts = self._verdicts(found)
            subject = None if found.to is None else person(self._store, found.to)
            names = Names.of(self._store)
            return Answer(
                {
                    "draft": found.id,
                    "name": found.name,
                    "to": None if subject is None else _who(subject),
                    "purposes": list(found.consent.purposes) if found.consent else None,
                    "photos": [
                        photo_json(photo, verdict, names)
                        for photo, verdict in zip(found.photos, verdicts, strict=True)
                    ],
                    "added": added,
                    "accepted": sum(verdict.accepted for verdict in verdicts),
                    "questions": sum(asks(verdict) for verdict in verdicts),
                    "most_photos": MOST_PHOTOS,
                    "most_bytes": MOST_BYTES,
                    "life_s": LIFE_S,
                }
            )

    def _verdicts(self, draft: Draft) -> list[Verdict]:
        """Each picture by itself, beside the others, and beside everybody enrolled; answers count."""
        looked = (photo.looked() for photo in draft.photos)
        found = examine(
            list(judge_looked(looked, known=self._knowledge.photos())),
            self._knowledge.faces(),
            to=draft.to,
        )
        return [
            replace(verdict, reasons=tuple(each for each in verdict.reasons if each not in photo.settled))
            for photo, verdict in zip(draft.photos, found, strict=True)
        ]


def _who(subject: Subject) -> dict[str, Any]:
    return {"subject": subject.id, "name": label(subject), "references": subject.references}
