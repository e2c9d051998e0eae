"""Operations of recipients: to whose public keys strangers' pictures are sealed.

Only public keys come here; a private one that somebody pastes by mistake is refused, and not kept, and not
repeated in any message. A key is named by its fingerprint.
"""

import contextlib
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.errors import FormError, RecipientError
from appliance.evidence import Recipient, parse_recipient
from appliance.permissions import Permission
from appliance.settings import Settings

KEY: Final = "evidence.recipients"
_MOST: Final = 20
_KEY_CHARS: Final = 16 * 1024


class NewRecipient(Arguments):
    """Attributes: key: a public key as its owner hands it on."""

    key: str = Field(max_length=_KEY_CHARS)


class OneRecipient(Arguments):
    """Attributes: fingerprint: of a recipient there is."""

    fingerprint: str = Field(max_length=200)


class Recipients:
    """Says to whom is sealed, and changes it.

    Args:
        source: Where the settings are.
        applying: Puts a change in force.
    """

    def __init__(self, source: Source, applying: Applying) -> None:
        self._source = source
        self._applying = applying

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("recipients.list", Nothing, Permission.CAPTURES, self.list),
            Operation("recipients.check", NewRecipient, Permission.SETTINGS, self.check),
            Operation("recipients.add", NewRecipient, Permission.SETTINGS, self.add),
            Operation("recipients.remove", OneRecipient, Permission.SETTINGS, self.remove),
        ]

    def list(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002 - an operation is told what was asked
        """Each by kind and fingerprint; a line of the settings that is no key is told as one."""
        return Answer([_row(line) for line in self._lines()])

    def check(self, asked: Asked[NewRecipient]) -> Answer:
        """What a key is, before it is added.

        Raises:
            FormError: It is no key to seal to; in words what it is and what would do.
        """
        return Answer(_told(_parsed(asked.arguments.key)))

    def add(self, asked: Asked[NewRecipient]) -> Answer:
        """Seal to one more from now on; what was sealed before stays as it is.

        Raises:
            FormError: It is no key to seal to, is there already, or there are too many.
            SettingsError: The settings cannot be written.
        """
        new = _parsed(asked.arguments.key)
        # Without the comment, which may be somebody's name.
        words = asked.arguments.key.split()
        kept = " ".join(words[:2]) if new.kind.value != "age" else words[0]

        def with_it(settings: Settings) -> dict[str, Any]:
            lines = settings.evidence.recipients
            if new.fingerprint in {_row(line)["fingerprint"] for line in lines}:
                raise _unfit("this key is there already")
            if len(lines) >= _MOST:
                raise _unfit(f"there are {_MOST} recipients already, which is the most")
            return {KEY: [*lines, kept]}

        saved = self._applying.save(with_it)
        return Answer({**_told(new), "saved": saved.told()})

    def remove(self, asked: Asked[OneRecipient]) -> Answer:
        """Seal to this one no more; what was sealed to it before stays readable for it.

        Raises:
            FormError: There is none of that fingerprint.
            SettingsError: The settings cannot be written.
        """
        left: list[str] = []

        def without_it(settings: Settings) -> dict[str, Any]:
            lines = settings.evidence.recipients
            left[:] = [line for line in lines if _row(line)["fingerprint"] != asked.arguments.fingerprint]
            if len(left) == len(lines):
                words = "there is no such recipient"
                raise FormError(words, fields={"fingerprint": words})
            return {KEY: left}

        saved = self._applying.save(without_it)
        return Answer({"saved": saved.told(), "left": len(left)})

    def _lines(self) -> Sequence[str]:
        return list(self._source.files.read().settings.evidence.recipients)


def _parsed(line: str) -> Recipient:
    try:
        return parse_recipient(line.strip(), where="this")
    except RecipientError as error:
        raise FormError(error.message, fields={"key": error.message}, hint=error.hint) from None


def _unfit(words: str) -> FormError:
    return FormError(words, fields={"key": words})


def _told(recipient: Recipient) -> dict[str, Any]:
    return {"kind": recipient.kind.value, "fingerprint": recipient.fingerprint}


def _row(line: str) -> dict[str, Any]:
    with contextlib.suppress(RecipientError):
        return _told(parse_recipient(line))
    return {"kind": "unusable", "fingerprint": "unusable"}
