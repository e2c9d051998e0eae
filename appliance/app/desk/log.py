"""Operations of the log: a page of it, what one decision rests on; `feed` tells what is new.

Reads only. What entries look like is `entries`; correcting a decision is `corrections`.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Literal, get_args

from pydantic import AwareDatetime, Field

from appliance.app.desk.entries import Kind, Shown, kind_of
from appliance.app.desk.naming import SOMEBODY, People
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.things import Things
from appliance.app.explaining import decided, explained
from appliance.decision import DECIDED, Likeness, told, verdict_of
from appliance.dispatch.wording import person, plain
from appliance.errors import ApplianceError, FormError
from appliance.events import event_types
from appliance.evidence.spool_folder import SpoolFolder
from appliance.permissions import Caller, Permission
from appliance.services import Services
from appliance.store import Store, StoredEvent
from appliance.store.timeline import Entry, Wanted
from appliance.values import Verdict

MOST: Final = 100
"""Entries of a page, at most."""
_ID: Final = 64

_TYPES: Final[dict[Verdict, str]] = {
    Verdict.IDENTIFIED: "subject_identified",
    Verdict.STRANGER: "stranger_seen",
    Verdict.UNDECIDED: "person_undecided",
}
_DOOR: Final = ("door_opened", "door_shut")
_WITHIN: Final[frozenset[Kind]] = frozenset({"coffee", "songs", "locks"})
"""Kinds of which events stand in the entry of whoever came by."""


class Page(Arguments):
    """Which entries of the log.

    Attributes:
        before: Only those that stand before this position: the `next` of the page before; None: the newest.
        limit: At most so many.
        kinds: Only those about these; empty: all.
        person: Encounters and events of this person, by id.
        verdict: Encounters that ended so.
        corrected: Only encounters that somebody corrected.
        door: Those at this door.
        since: Those that began then or later.
        until: Those that began before then.
    """

    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=40, ge=1, le=MOST)
    kinds: tuple[Kind, ...] = Field(default=(), max_length=20)
    person: str | None = Field(default=None, max_length=_ID)
    verdict: Verdict | None = None
    corrected: bool = False
    door: str | None = Field(default=None, max_length=_ID)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class OneEvent(Arguments):
    """Attributes: event: the id of an event, whole."""

    event: str = Field(max_length=_ID)


class Log:
    """Reads the log for whoever may.

    Args:
        services: The store, and where the spool is.
        doors: Ids of the doors there are, to choose from.
    """

    def __init__(self, services: Services, doors: Sequence[str] = ()) -> None:
        self._store: Store = services.store
        self._spool = SpoolFolder(services.layout.spool)
        self._doors = tuple(doors)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("log.page", Page, Permission.LOG, self.page),
            Operation("log.entry", OneEvent, Permission.LOG, self.entry),
            Operation("log.explain", OneEvent, Permission.LOG, self.explain),
            Operation("log.choices", Nothing, Permission.LOG, self.choices),
        ]

    def page(self, asked: Asked[Page]) -> Answer:
        """A page of entries, the newest first, in groups: what happened in one visit stands together.

        Who may not enrol is told by name of those only who agreed to it (`naming`).

        The answer is `{groups, next, newest}`; a group is `{visit, entries}`, `visit` null for what belongs
        to none, `next` what to ask for as `before`, null at the end, `newest` where the log ended.

        Raises:
            FormError: It asks for somebody of whom the caller is not told, or the time ends before it begins.
        """
        given = asked.arguments
        if given.person is not None and not People(self._store, asked.who).tells(given.person):
            words = "you are not told when they came by"
            raise FormError(words, fields={"person": words})
        newest = self._store.position()
        found = self._store.entries(wanted(given), DECIDED, before=given.before, limit=given.limit + 1)
        more, found = len(found) > given.limit, found[: given.limit]
        shown = self._shown(asked.who)
        return Answer(
            {
                "groups": self._groups(found, shown),
                "next": found[-1].position if more else None,
                "newest": newest,
            }
        )

    def entry(self, asked: Asked[OneEvent]) -> Answer:
        """The entry that an event belongs to.

        Raises:
            StoreError: There is no such event.
        """
        return Answer(self._shown(asked.who).entry(self._entry_of(asked.arguments.event)))

    def explain(self, asked: Asked[OneEvent]) -> Answer:
        """Why a decision came out as it did.

        The answer: `headline` and `sentences` for everybody; `nearest` and `second` with their place on a
        line from 0 to 1, where 0.5 is what was asked for; `reasons` and `detail` are the exact account,
        as `appliance events explain` prints it.

        Raises:
            StoreError: There is no such event, or it is no decision.
        """
        stored = self._store.event(asked.arguments.event)
        event = decided(stored)
        verdict, _ = verdict_of(event) or (Verdict.UNDECIDED, None)
        people = People(self._store, asked.who)
        said = told(event.facts, verdict, event.grade, people.called)
        named = explained(stored, lambda who: who if people.veils(who) else people.name(who))
        # Both at once: whoever is not named has the same number in both.
        exact = people.without_ids({"reasons": named["reasons"], "detail": explained(stored)})
        return Answer(
            {
                "event": stored.id,
                "verdict": verdict.value,
                "headline": said.headline,
                "sentences": list(said.sentences),
                "nearest": _placed(said.nearest, people),
                "second": _placed(said.second, people),
                "reasons": [plain(text) for text in exact["reasons"]],
                "detail": exact["detail"],
                "entry": self._shown(asked.who).entry(self._entry_of(stored.id)),
            }
        )

    def choices(self, asked: Asked[Nothing]) -> Answer:
        """What there is to filter by: doors, kinds, verdicts; people of whom the caller is told."""
        people = []
        if asked.who.may(Permission.PEOPLE):
            told = People(self._store, asked.who).tells
            everybody = {str(each.id): each.name for each in self._store.subjects() if told(each.id)}
            people = [{"id": each, "name": person(each, everybody.get)} for each in everybody]
        return Answer(
            {
                "doors": list(self._doors),
                "kinds": list(get_args(Kind)),
                "verdicts": [each.value for each in Verdict],
                "people": sorted(people, key=lambda each: each["name"].casefold()),
            }
        )

    # ------------------------------------------------------------ shared

    def _entry_of(self, event: str) -> Entry:
        stored = self._store.event(event)
        found = self._store.whole(stored.position) if stored.device == self._store.device else None
        return found or Entry(stored.position, None, (stored,))

    def _groups(self, entries: Sequence[Entry], shown: Shown) -> list[dict[str, Any]]:
        """Entries of one visit together, where the newest of them stands."""
        rows = [shown.entry(entry) for entry in entries]
        names = [row["visit"] for row in rows if row["visit"] is not None]
        moved = self._store.visits(list(dict.fromkeys(names)), _DOOR)
        groups: list[dict[str, Any]] = []
        by_visit: dict[str, dict[str, Any]] = {}
        for row in rows:
            visit = row["visit"]
            if visit is not None and visit in by_visit:
                by_visit[visit]["entries"].append(row)
                continue
            group = {"visit": _visit(visit, row["door"], moved.get(visit, [])), "entries": [row]}
            groups.append(group)
            if visit is not None:
                by_visit[visit] = group
        return groups

    def _shown(self, caller: Caller) -> Shown:
        people, operators = People(self._store, caller), Operators(self._store, caller)
        things = Things(self._store, caller)
        return Shown(people.of, operators.of, operators.screen, self._spool.has, thing=things.name)


class Operators:
    """Who did what, with which token or screen: by name for those who admit operators and for themselves."""

    def __init__(self, store: Store, caller: Caller) -> None:
        self._store = store
        self._caller = caller
        self._found: dict[str, dict[str, Any]] = {}

    def of(self, by: str) -> dict[str, Any]:
        """As JSON values, of the id of an operator or of a token."""
        if by not in self._found:
            self._found[by] = {"id": by, "name": self._name(by)}
        return self._found[by]

    def screen(self, screen: str) -> dict[str, Any]:
        """An office screen, of its id."""
        name = None
        if self._caller.may(Permission.OPERATORS):
            with suppress(ApplianceError):
                name = self._store.screen(screen).label or None
        return {"id": screen, "name": name}

    def _name(self, by: str) -> str | None:
        if not (self._caller.may(Permission.OPERATORS) or by in {self._caller.id, self._caller.operator}):
            return None
        with suppress(ApplianceError):
            return self._store.operator(by).login
        with suppress(ApplianceError):
            return self._store.token(by).label or None
        return None


def wanted(given: Page) -> Wanted:
    """The store's question for a page's.

    Raises:
        FormError: The time ends before it begins.
    """
    if given.since is not None and given.until is not None and given.since >= given.until:
        words = "the end is before the beginning"
        raise FormError(words, fields={"until": words})
    types: tuple[str, ...] | None = None
    if given.kinds:
        types = tuple(each for each in event_types() if kind_of(each) in given.kinds)
    return Wanted(
        encounters=not given.kinds or bool({"people", *_WITHIN} & set(given.kinds)),
        within=None if not given.kinds or "people" in given.kinds else types,
        types=types,
        subject=given.person,
        verdicts=() if given.verdict is None else (_TYPES[given.verdict],),
        corrected=given.corrected,
        door=given.door,
        since=given.since,
        until=given.until,
    )


def _visit(visit: str | None, door: str | None, moved: Sequence[StoredEvent]) -> dict[str, Any] | None:
    """From door open to door shut, as far as it has come."""
    if visit is None:
        return None

    def first(kind: Literal["door_opened", "door_shut"]) -> datetime | None:
        return next((each.at for each in moved if each.type == kind), None)

    opened, shut = first("door_opened"), first("door_shut")
    return {
        "id": visit,
        "door": door,
        "opened_at": opened.isoformat() if opened is not None else None,
        "shut_at": shut.isoformat() if shut is not None else None,
        "lasted_s": (shut - opened).total_seconds() if opened is not None and shut is not None else None,
    }


def _placed(likeness: Likeness | None, people: People) -> dict[str, Any] | None:
    if likeness is None:
        return None
    shown = people.of(likeness.subject) or {"id": None, "name": None, "called": SOMEBODY}
    return {**shown, "place": likeness.place}
