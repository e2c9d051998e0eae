"""Operations of moments: pages of what was seen, how much of it there was over time, what there is to choose.

What dashboards ask: presence of a label is `moments.bars` with that label; door openings are its bars of the
kind `door_opened`, strangers and others those of the kind `encounter` by verdict; busiest hours are
`moments.hours`. Times in answers are whole seconds since the epoch where they are axes, else ISO 8601.

Who came is told as the log tells it: to admins, and to others of those alone who agreed to that. Of a person
there is a list, as the log has it, and neither bars nor busiest hours: nobody's presence is drawn up.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from appliance.app.desk.bar_edges import edges_of, width_for, zone_of
from appliance.app.desk.naming import People
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.app.desk.times import moment
from appliance.dispatch.wording import person
from appliance.errors import FormError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import Bar, By, Moment, MomentPlace, MomentsWanted
from appliance.store.moment_events import KINDS

_ID: Final = 64
_MOST: Final = 200
_MANY: Final = 50
_HOUR_S: Final = 3600
_TOP: Final = 12
"""Series that are told apart unless more are asked for; the others are added up."""

_Text = Annotated[str, Field(min_length=1, max_length=_ID)]
_Width = Literal[60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800]
_Verdict = Literal["identified", "stranger", "undecided", "unknown"]


class Filters(Arguments):
    """Which moments.

    Attributes:
        labels: Those in which one of these was seen; empty: all.
        min_score: Those whose label, or without labels whose best one, is at least so certain, 0 to 1; taken
            in whole hundredths.
        cameras: Those of these; empty: all.
        doors: Likewise.
        verdicts: Stays that ended so.
        kinds: Likewise; `encounter`, or a type of event.
    """

    labels: tuple[_Text, ...] = Field(default=(), max_length=_MANY)
    min_score: float = Field(default=0, ge=0, le=1)
    cameras: tuple[_Text, ...] = Field(default=(), max_length=_MANY)
    doors: tuple[_Text, ...] = Field(default=(), max_length=_MANY)
    verdicts: tuple[_Verdict, ...] = Field(default=(), max_length=_MANY)
    kinds: tuple[_Text, ...] = Field(default=(), max_length=_MANY)


class Page(Filters):
    """A page of moments.

    Attributes:
        person: Stays of this person, by id.
        since: Begin of the time.
        until: Its end.
        before: `next` of the page before.
        limit: At most so many.
    """

    person: str | None = Field(default=None, max_length=_ID)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    before: str | None = Field(default=None, pattern=r"^-?[0-9]{1,15}\.[0-9]{1,18}$")
    limit: int = Field(default=50, ge=1, le=_MOST)


class Span(Filters):
    """Attributes: since, until: of the time; zone: whose clock, as `Europe/Berlin`; None: the box's."""

    since: AwareDatetime
    until: AwareDatetime
    zone: str | None = Field(default=None, max_length=_ID)


class Bars(Span):
    """Attributes: width_s: of a bar, None: as fits; by: told apart by what; top: so many series at most."""

    width_s: _Width | None = None
    by: By | None = None
    top: int = Field(default=_TOP, ge=1, le=_MANY)


class Choices(Arguments):
    """Attributes: since, until: of the time that labels are counted in; None: all of it."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Moments:
    """Searches the moments for whoever may.

    Args:
        services: The store and the clock.
        doors: Ids of the doors there are.
        cameras: Ids of the cameras there are.
    """

    def __init__(self, services: Services, doors: Sequence[str] = (), cameras: Sequence[str] = ()) -> None:
        self._store = services.store
        self._doors = tuple(doors)
        self._cameras = tuple(cameras)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("moments.page", Page, Permission.LOG, self.page),
            Operation("moments.bars", Bars, Permission.LOG, self.bars),
            Operation("moments.hours", Span, Permission.LOG, self.hours),
            Operation("moments.choices", Choices, Permission.LOG, self.choices),
        ]

    def page(self, asked: Asked[Page]) -> Answer:
        """Moments, the newest first: `{moments, next}`.

        A moment is `{id, at, at_ms, camera, kind, source, labels, best, door, verdict, person, event, clip}`:
        `labels` are `{label: score}`, `best` is `{label, score}` of the one that was asked for, or of the
        most certain; `person` is `{id, name, called}` where it is told; `event` is one of the log, to be
        explained there; `clip` is `{id, begin_ms, offset_s, recording}` of the video that shows it, or None.
        `next` is what to ask for as `before`; None at the end.

        Raises:
            FormError: It asks for somebody of whom the caller is not told, for a kind that there is not, or
                the time ends before it begins.
        """
        given = asked.arguments
        if given.person is not None and not People(self._store, asked.who).tells(given.person):
            words = "you are not told when they came by"
            raise FormError(words, fields={"person": words})
        wanted = self._wanted(given, given.since, given.until, given.person)
        before = None
        if given.before is not None:
            at, _, number = given.before.partition(".")
            before = MomentPlace(int(at), int(number))
        found = self._store.moments_page(wanted, before=before, limit=given.limit + 1)
        more, found = len(found) > given.limit, found[: given.limit]
        people = People(self._store, asked.who)
        return Answer(
            {
                "moments": [_told(each, given.labels, people) for _, each in found],
                "next": f"{found[-1][0].at_ms}.{found[-1][0].number}" if more else None,
            }
        )

    def bars(self, asked: Asked[Bars]) -> Answer:
        """How many there were over time: `{width_s, starts, until, series, rest}`.

        `starts` are the beginnings of the bars and `until` the end of the last, seconds since the epoch:
        whole bars, which may begin before the time that was asked for. A series is `{key, total, many}`, a
        number for each bar, the largest first; `key` is empty where nothing is told apart. `rest` is the sum
        of the series beyond `top`, or None. With several labels they are told apart by label.

        Raises:
            FormError: There is no such kind, the time ends before it begins, or there would be too many bars.
        """
        given = asked.arguments
        by = given.by
        if len(given.labels) > 1 and by != "label":
            if by is not None:
                words = "several labels are told apart by label, and by nothing else"
                raise FormError(words, fields={"by": words})
            by = "label"
        width = given.width_s or width_for(given.since, given.until)
        edges = edges_of(given.since, given.until, width, zone_of(given.zone))
        found = self._store.moment_bars(self._wanted(given), edges, by)
        series = _series(found, edges)
        shown, others = series[: given.top], series[given.top :]
        return Answer(
            {
                "width_s": width,
                "starts": [_seconds(each) for each in edges[:-1]],
                "until": _seconds(edges[-1]),
                "series": shown,
                "rest": _added_up(others) if others else None,
            }
        )

    def hours(self, asked: Asked[Span]) -> Answer:
        """Busiest hours: `{days, hours, weekdays}`.

        `days` are seven lists of 24, Monday first, of the hours of the clock on the wall; `hours` and
        `weekdays` their sums. Of the time only whole hours are counted.

        Raises:
            FormError: As of bars; or the time is longer than 40 days.
        """
        given = asked.arguments
        zone = zone_of(given.zone)
        edges = edges_of(given.since, given.until, _HOUR_S, zone)
        if len(given.labels) > 1:
            words = "busiest hours are of one label, or of all"
            raise FormError(words, fields={"labels": words})
        days = [[0] * 24 for _ in range(7)]
        for bar in self._store.moment_bars(self._wanted(given), edges):
            wall = bar.start.astimezone(zone)
            days[wall.weekday()][wall.hour] += bar.many
        return Answer(
            {
                "days": days,
                "hours": [sum(day[hour] for day in days) for hour in range(24)],
                "weekdays": [sum(day) for day in days],
            }
        )

    def choices(self, asked: Asked[Choices]) -> Answer:
        """What there is to choose from: `{labels, cameras, doors, kinds, verdicts, people, moments, newest}`.

        `labels` are `{label, many, cameras, last}`, the most frequent first; `people` those of whom the
        caller is told; `moments` how many there are in all; `newest` when the newest was, or None.
        """
        given = asked.arguments
        counted: dict[str, dict[str, Any]] = {}
        for each in self._store.label_counts(since=given.since, until=given.until):
            row = counted.setdefault(
                each.label, {"label": each.label, "many": 0, "cameras": [], "last": None}
            )
            row["many"] += each.many
            row["cameras"].append(each.camera)
            row["last"] = max(row["last"] or "", moment(each.last))
        people = []
        if asked.who.may(Permission.PEOPLE):
            told = People(self._store, asked.who).tells
            everybody = {str(each.id): each.name for each in self._store.subjects() if told(each.id)}
            people = [{"id": each, "name": person(each, everybody.get)} for each in everybody]
        newest = self._store.moments_page(MomentsWanted(), limit=1)
        return Answer(
            {
                "labels": sorted(counted.values(), key=lambda row: (-row["many"], row["label"])),
                "cameras": list(self._cameras),
                "doors": list(self._doors),
                "kinds": list(KINDS),
                "verdicts": ["identified", "stranger", "undecided", "unknown"],
                "people": sorted(people, key=lambda each: each["name"].casefold()),
                "moments": self._store.moment_count(),
                "newest": moment(newest[0][1].at) if newest else None,
            }
        )

    def _wanted(
        self,
        given: Filters,
        since: datetime | None = None,
        until: datetime | None = None,
        subject: str | None = None,
    ) -> MomentsWanted:
        """The store's question.

        Raises:
            FormError: It may not be asked.
        """
        if unknown := set(given.kinds) - set(KINDS):
            words = f"there are no such moments: {min(unknown)}"
            raise FormError(words, fields={"kinds": words})
        if since is not None and until is not None and since >= until:
            words = "the end is before the beginning"
            raise FormError(words, fields={"until": words})
        return MomentsWanted(
            since=since,
            until=until,
            labels=tuple(dict.fromkeys(given.labels)),
            min_percent=percent(given.min_score),
            cameras=given.cameras,
            doors=given.doors,
            verdicts=given.verdicts,
            kinds=given.kinds,
            subject=subject,
        )


def percent(score: float) -> int:
    """A least score in whole hundredths: the next one that is not below it."""
    # 0.29 * 100 is a little more than 29: what was written with two decimals stays what it is.
    return -int(-round(score * 100, 6) // 1)


def _told(found: Moment, labels: Sequence[str], people: People) -> dict[str, Any]:
    asked_for = {label: found.labels[label] for label in labels if label in found.labels}
    scores = asked_for or found.labels
    best = max(scores, key=lambda label: (scores[label], label), default=None)
    clip = None
    if found.clip is not None:
        clip = {
            "id": found.clip.id,
            "begin_ms": _millis(found.clip.begin),
            "offset_s": round((found.at - found.clip.begin).total_seconds(), 3),
            "recording": found.clip.end is None,
        }
    return {
        "id": found.id,
        "at": moment(found.at),
        "at_ms": _millis(found.at),
        "camera": found.camera or None,
        "kind": found.kind,
        "source": found.source or None,
        "labels": dict(found.labels),
        "best": None if best is None else {"label": best, "score": scores[best]},
        "door": found.door,
        "verdict": found.verdict,
        "person": None if found.subject is None else people.of(found.subject),
        "event": found.event,
        "clip": clip,
    }


def _series(found: Sequence[Bar], edges: Sequence[datetime]) -> list[dict[str, Any]]:
    """By key, the largest first, with a number for each bar."""
    places = {edge: i for i, edge in enumerate(edges[:-1])}
    many: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(places))
    for bar in found:
        many[bar.key][places[bar.start]] += bar.many
    series = [{"key": key, "total": sum(numbers), "many": numbers} for key, numbers in many.items()]
    return sorted(series, key=lambda each: (-each["total"], each["key"]))


def _added_up(series: Sequence[dict[str, Any]]) -> dict[str, Any]:
    columns = zip(*(each["many"] for each in series), strict=True)
    return {
        "key": "",
        "total": sum(each["total"] for each in series),
        "many": [sum(column) for column in columns],
    }


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=1)


def _millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
