"""Enrolments under way: what the models made of each picture, and what was answered about it. In memory only.

A draft is its maker's alone, ends a quarter of an hour after it was last touched, and is bounded in pictures
and in number. It holds templates and no picture; nothing of it reaches a disk until it is committed. Whether
a picture may become a reference is judged elsewhere.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from appliance.errors import EnrolmentError, InputError, PhotoError
from appliance.permissions import Caller
from appliance.store import Consent
from appliance.values import EmbeddedPhoto, SubjectId
from enroll.photos import Looked

MOST_PHOTOS = 20
"""Pictures of a draft; a handful of different days does best."""
MOST_DRAFTS = 32
"""At once, of everybody."""
MOST_OWN = 4
"""At once, of one session; the oldest goes for another."""
LIFE_S = 15 * 60.0
"""Seconds that a draft lives after it was last touched."""

LEFT_S = 30.0
"""Seconds that a draft lives after its page was left: a page that is loaded again asks for it before."""

_LOOK_S = 60.0
"""How often it is seen whether a draft's time is over while nobody asks."""

QUESTIONS = {"alike": "LOOKS_LIKE", "different": "DOES_NOT_MATCH"}
"""What can be answered about a picture: that it is known → the reason that it settles."""


@dataclass(frozen=True, slots=True)
class DraftPhoto:
    """A picture that was looked at; not the picture.

    Attributes:
        id: Names it within its draft.
        sha256: Of the file.
        origin: Where it came from, as in `enroll.photos.Verdict`.
        found: What the models made of it; None: it could not be used.
        fault: Why it could not, by code.
        choice: Which face is meant, from 1 from the left; None: nobody has said.
        settled: Reasons that somebody answered.
    """

    id: str
    sha256: str
    origin: str
    found: EmbeddedPhoto | None
    fault: str = ""
    choice: int | None = None
    settled: frozenset[str] = frozenset()

    def looked(self) -> Looked:
        """As it is judged."""
        return Looked(self.id, self.sha256, self._look, self.fault, choice=self.choice, origin=self.origin)

    def _look(self) -> EmbeddedPhoto:
        if self.found is None:
            raise PhotoError("the picture could not be used", reason=self.fault)
        return self.found


@dataclass(slots=True)
class Draft:
    """An enrolment under way.

    Attributes:
        id: Names it to its maker.
        owner: Whose.
        name: Of who is enrolled.
        initials: None: made from the name.
        alias: None: none.
        to: Who is given more pictures; None: somebody new.
        namesake: It is known that somebody of that name is enrolled; this is another.
        consent: What they agreed to; None: what they agreed to before covers it.
        photos: In the order in which they came.
        touched_s: When it was last asked for, monotonic seconds.
        held: Whoever works on it holds this; nobody else is in their way.
    """

    id: str
    owner: str
    name: str
    initials: str | None
    alias: str | None
    to: SubjectId | None
    namesake: bool
    consent: Consent | None
    touched_s: float
    photos: list[DraftPhoto] = field(default_factory=list)
    held: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, photo: DraftPhoto) -> None:
        """Another picture.

        Raises:
            EnrolmentError: There are too many.
        """
        self.need_room()
        self.photos.append(photo)

    def need_room(self) -> None:
        """Refuse one picture too many.

        Raises:
            EnrolmentError: There are as many as may be.
        """
        if len(self.photos) >= MOST_PHOTOS:
            raise EnrolmentError(
                f"at most {MOST_PHOTOS} pictures are taken at a time",
                hint="a handful of different days and light does best; remove some",
            )

    def put(self, photo: DraftPhoto) -> None:
        """Something was said of a picture: this is how it stands now.

        Raises:
            InputError: There is no such picture.
        """
        self.photos[self._place(photo.id)] = photo

    def photo(self, photo: str) -> DraftPhoto:
        """One of them.

        Raises:
            InputError: There is no such picture.
        """
        return self.photos[self._place(photo)]

    def drop(self, photo: str) -> None:
        """One picture less.

        Raises:
            InputError: There is no such picture.
        """
        del self.photos[self._place(photo)]

    def _place(self, photo: str) -> int:
        for place, each in enumerate(self.photos):
            if each.id == photo:
                return place
        raise InputError("there is no such picture in this enrolment", hint="it may have been removed")


class Drafts:
    """All enrolments under way; safe to ask from several threads.

    Args:
        monotonic: Tells seconds.
        later: Calls something after so many seconds, so that a draft is let go of when nobody asks, too.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        later: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._later = later or _later
        self._waiting = False
        self._lock = threading.Lock()
        self._drafts: dict[str, Draft] = {}

    def __len__(self) -> int:
        """How many there are; those whose time is over are none."""
        with self._lock:
            self._forget()
            return len(self._drafts)

    def begin(  # noqa: PLR0917 - everything that is known of an enrolment at its beginning
        self,
        owner: str,
        name: str,
        initials: str | None,
        alias: str | None,
        to: SubjectId | None,
        consent: Consent | None,
        *,
        namesake: bool,
    ) -> Draft:
        """Begin one.

        Raises:
            EnrolmentError: There are too many under way.
        """
        with self._lock:
            self._forget()
            own = sorted(
                (each for each in self._drafts.values() if each.owner == owner),
                key=lambda each: each.touched_s,
            )
            if len(own) >= MOST_OWN:
                del self._drafts[own[0].id]
            elif len(self._drafts) >= MOST_DRAFTS:
                raise EnrolmentError(
                    "too many enrolments are under way at once", hint="end one, or try again in a while"
                )
            now = self._monotonic()
            made = Draft(secrets.token_urlsafe(18), owner, name, initials, alias, to, namesake, consent, now)
            self._drafts[made.id] = made
            self._wait()
            return made

    @contextmanager
    def held(self, draft: str, owner: str) -> Iterator[Draft]:
        """A draft, for its maker, who alone has it until the end of the block; other drafts go on meanwhile.

        Raises:
            EnrolmentError: There is none of that name, its time is over, or it is somebody else's; which of
                these is not said.
        """
        found = self._found(draft, owner)
        with found.held:
            # Whoever had it before may have committed or ended it.
            self._found(draft, owner)
            yield found

    def _found(self, draft: str, owner: str) -> Draft:
        with self._lock:
            self._forget()
            found = self._drafts.get(draft)
            if found is None or not secrets.compare_digest(found.owner.encode(), owner.encode()):
                raise EnrolmentError(
                    "this enrolment is over: it was ended, or left alone for a quarter of an hour",
                    hint="begin again; nothing of it was kept",
                )
            found.touched_s = self._monotonic()
            return found

    def touch(self, draft: str, owner: str) -> None:
        """Somebody is at it still; see `held` for what is raised."""
        self._found(draft, owner)

    def leave(self, draft: str, owner: str) -> None:
        """Its page was left: it ends in `LEFT_S`, unless it is asked for before; see `held`."""
        found = self._found(draft, owner)
        with self._lock:
            found.touched_s = self._monotonic() - LIFE_S + LEFT_S

    def forget(self, draft: Draft) -> None:
        """Let go of a draft that is held."""
        with self._lock:
            self._drafts.pop(draft.id, None)

    def _wait(self) -> None:
        """See to it that what is over is let go of, whoever asks or does not."""
        if self._drafts and not self._waiting:
            self._waiting = True
            self._later(_LOOK_S, self._look)

    def _look(self) -> None:
        with self._lock:
            self._waiting = False
            self._forget()
            self._wait()

    def _forget(self) -> None:
        over = self._monotonic() - LIFE_S
        for each in [each for each in self._drafts.values() if each.touched_s <= over]:
            del self._drafts[each.id]


def _later(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


def owner_of(caller: Caller) -> str:
    """Who may see a draft: the session that began it; of a token, the token."""
    return f"{caller.kind}:{caller.session or caller.id}"
