"""How a draft stands: what every answer about one tells, and the verdicts on its pictures.

A picture's verdict may change with those beside it, so all of them are always told. Nothing is changed here.
"""

from dataclasses import replace
from typing import Any

from pydantic import Field

from appliance.app.desk.operations import Answer, Arguments, Asked
from appliance.store import Store, Subject
from enroll.desk.drafts import LIFE_S, MOST_PHOTOS, Draft, Drafts, owner_of
from enroll.desk.knowing import Knowledge
from enroll.desk.looking import MOST_BYTES
from enroll.desk.people import person
from enroll.desk.verdicts import asks, photo_json
from enroll.likeness import examine
from enroll.photos import Verdict, judge_looked
from enroll.telling import Names, label


class OfDraft(Arguments):
    """Which draft."""

    draft: str = Field(min_length=1, max_length=64)


class Standing:
    """Tells how drafts stand.

    Args:
        store: Opened, with a key.
        knowledge: Of the same store.
        drafts: All of them.
    """

    def __init__(self, store: Store, knowledge: Knowledge, drafts: Drafts) -> None:
        self._store = store
        self._knowledge = knowledge
        self._drafts = drafts

    def answer(self, asked: Asked[Any], draft: str, *, added: str | None = None) -> Answer:
        """The whole of a draft, for whoever owns it.

        Args:
            asked: By whom.
            draft: Its id.
            added: The picture that was just added, by its id.
        """
        with self._drafts.held(draft, owner_of(asked.who)) as found:
            verdicts = self.verdicts(found)
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

    def verdicts(self, draft: Draft) -> list[Verdict]:
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
