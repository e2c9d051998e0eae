"""What people fill in about somebody, checked: ids, names, what they agreed to. Faults are told by field."""

from typing import Annotated

from pydantic import Field, field_validator

from appliance.app.desk.in_person import only_in_person
from appliance.app.desk.operations import Arguments
from appliance.errors import FormError
from appliance.permissions import Caller
from appliance.store import IDENTIFY, Consent, Subject
from appliance.store.people import ALIAS_CHARS, INITIALS_CHARS, NAME_CHARS
from appliance.writing import writable
from enroll.consent import GIVEN_BY_CHARS, OPENS, PURPOSES, TEXT_VERSION, checked_purposes, usable_given_by
from enroll.names import usable_name

PersonId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]
"""Of a person, a reference, a consent: opaque, and whole."""


class Agreement(Arguments):
    """What somebody agreed to, in which words, and how.

    Attributes:
        purposes: At least one.
        text_version: Of the text they were shown.
        given_by: How they agreed, e.g. `signed form 2026-01-05`.
    """

    purposes: tuple[str, ...]
    text_version: str
    given_by: str

    @field_validator("purposes")
    @classmethod
    def _known(cls, purposes: tuple[str, ...]) -> tuple[str, ...]:
        if not purposes:
            raise ValueError("say at least one thing that they agreed to")
        if set(purposes) - set(PURPOSES):
            raise ValueError(f"there are: {', '.join(PURPOSES)}")
        return purposes

    @field_validator("text_version")
    @classmethod
    def _current(cls, version: str) -> str:
        if version != TEXT_VERSION:
            raise ValueError("the text has changed meanwhile; read it once more before they agree")
        return version

    @field_validator("given_by")
    @classmethod
    def _said(cls, given_by: str) -> str:
        agreed = usable_given_by(given_by)
        if agreed is None:
            raise ValueError(f"say how they agreed, in 1 to {GIVEN_BY_CHARS} characters on one line")
        return agreed

    def consent(self, *, first: bool) -> Consent:
        """As the store takes it.

        Args:
            first: It is to allow that somebody is recognised at all.

        Raises:
            FormError: It does not.
        """
        if first and IDENTIFY not in self.purposes:
            raise FormError(
                "without their yes to being recognised nobody can be enrolled",
                fields={"purposes": f"{PURPOSES[IDENTIFY]!r} is the one that nobody is enrolled without"},
            )
        purposes = checked_purposes(self.purposes) if first else self.purposes
        return Consent(purposes, self.text_version, self.given_by)


def opens_for_them(who: Caller, *people: Subject | Agreement | None) -> None:
    """See that no program says for whom a lock may open, nor changes who is taken for them.

    Args:
        who: Who asks.
        people: Whom it is about, and what they are said to agree to.

    Raises:
        DeniedError: One agreed, or is said to, to doors being unlocked, and it is a program that asks.
    """
    if any(each is not None and OPENS in each.purposes for each in people):
        only_in_person(who)


def checked_field_name(text: str) -> str:
    """A name as it is kept.

    Raises:
        FormError: It cannot be one.
    """
    name = usable_name(text)
    if name is None:
        wrong = f"a name is 1 to {NAME_CHARS} visible characters"
        raise FormError(wrong, fields={"name": wrong})
    return name


def checked_alias(text: str | None) -> str | None:
    """An alias as it is kept; blank is none.

    Raises:
        FormError: It cannot be one.
    """
    return _short("alias", text, ALIAS_CHARS)


def checked_initials(text: str | None) -> str | None:
    """Initials as they are kept; blank is none.

    Raises:
        FormError: They cannot be some.
    """
    return _short("initials", text, INITIALS_CHARS)


def _short(field: str, text: str | None, longest: int) -> str | None:
    found = (text or "").strip()
    if not found:
        return None
    if len(found) > longest or not writable(found):
        wrong = f"at most {longest} visible characters"
        raise FormError(f"{field}: {wrong}", fields={field: wrong})
    return found
