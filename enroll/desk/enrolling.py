"""The desk's operations that enrol: begin with a name and a consent, show how it stands, commit or discard.

Each answer carries the whole draft as it stands. Its pictures are for `pictures`. Judging and keeping are
shared with `appliance enroll add`.
"""

from dataclasses import replace
from typing import Any

from pydantic import model_validator

from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.errors import EnrolmentError, FormError
from appliance.permissions import Permission
from appliance.store import IDENTIFY, Store
from enroll.desk.cards import card, safety_in_short
from enroll.desk.drafts import LEFT_S, Drafts, owner_of
from enroll.desk.filled import (
    Agreement,
    PersonId,
    checked_alias,
    checked_field_name,
    checked_initials,
    opens_for_them,
)
from enroll.desk.knowing import Knowledge
from enroll.desk.people import person
from enroll.desk.standing import OfDraft, Standing
from enroll.keeping import keep, namesakes
from enroll.photos import need_accepted
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


class AddTo(OfDraft):
    """That the pictures are of somebody enrolled already."""

    person: PersonId


class Enrolling:
    """Enrolments under way, from the first name to the references.

    Args:
        store: Opened, with a key.
        knowledge: Of the same store.
        drafts: Where they are kept meanwhile.
        standing: Tells how one stands.
    """

    def __init__(self, store: Store, knowledge: Knowledge, drafts: Drafts, standing: Standing) -> None:
        self._store = store
        self._knowledge = knowledge
        self._drafts = drafts
        self._standing = standing

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        enrol = Permission.ENROL
        return [
            Operation("enrol.begin", Begin, enrol, self.begin),
            Operation("enrol.show", OfDraft, enrol, self.show),
            Operation("enrol.add_to", AddTo, enrol, self.add_to),
            Operation("enrol.commit", OfDraft, enrol, self.commit),
            Operation("enrol.leave", OfDraft, enrol, self.leave),
            Operation("enrol.discard", OfDraft, enrol, self.discard),
        ]

    def begin(self, asked: Asked[Begin]) -> Answer:
        """Begin an enrolment, with the consent that it needs; no picture is looked at before."""
        given = asked.arguments
        subject = None if given.to is None else person(self._store, given.to)
        opens_for_them(asked.who, subject, given.consent)
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
        return self._standing.answer(asked, draft.id)

    def show(self, asked: Asked[OfDraft]) -> Answer:
        """The draft as it stands."""
        return self._standing.answer(asked, asked.arguments.draft)

    def add_to(self, asked: Asked[AddTo]) -> Answer:
        """The pictures turn out to be of somebody enrolled: they are added to them."""
        subject = person(self._store, asked.arguments.person)
        opens_for_them(asked.who, subject)
        with self._drafts.held(asked.arguments.draft, owner_of(asked.who)) as draft:
            draft.to, draft.name = subject.id, label(subject)
            draft.initials, draft.alias, draft.namesake = None, None, False
            for photo in draft.photos:
                draft.put(replace(photo, settled=frozenset()))
        return self._standing.answer(asked, asked.arguments.draft)

    def commit(self, asked: Asked[OfDraft]) -> Answer:
        """Keep what was accepted, with the consent, in one transaction; a draft is committed once.

        Raises:
            EnrolmentError: No picture can be used, a question is open, or somebody of that name was enrolled
                meanwhile.
        """
        owner = owner_of(asked.who)
        with self._drafts.held(asked.arguments.draft, owner) as draft:
            verdicts = self._standing.verdicts(draft)
            subject = None if draft.to is None else person(self._store, draft.to)
            # Once more: they may have agreed to it since.
            opens_for_them(asked.who, subject)
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
