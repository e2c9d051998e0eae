"""The members of an operation's input, read and held to the service model's limits.

Names, patterns and bounds are those of the models `kinesisvideo`, `kinesis-video-media` and `kinesis-video-
archived-media` of 2017-09-30. What a member means is the operation's business; members that the model does
not know are left alone, as the service does.
"""

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from appliance.video.kvs_server.requests import RefusedError

STREAM_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,256}")
STREAM_ARN: Final = re.compile(r"arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+")
DEVICE_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
MEDIA_TYPE: Final = re.compile(r"[\w\-.+]+/[\w\-.+]+(,[\w\-.+]+/[\w\-.+]+)*")
KEY_ID: Final = re.compile(r".{1,2048}")
VERSION: Final = re.compile(r"[a-zA-Z0-9]{1,64}")
FRAGMENT_NUMBER: Final = re.compile(r"[0-9]{1,128}")
QUALITY: Final = re.compile(r"[1-9][0-9]?|100")
TOKEN: Final = re.compile(r"[a-zA-Z0-9+/=_.-]{1,4096}")

_ARN_LENGTH: Final = 1024
_TAGS: Final = 50
_TAG_KEY: Final = re.compile(r"[\w\s.:/=+\-@]{1,128}")
_TAG_VALUE: Final = re.compile(r"[\w\s.:/=+\-@]{0,256}")
_T = TypeVar("_T")
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, which is as far as dates go."""


class Fields:
    """One JSON object.

    Args:
        members: Its members.
        path: What leads to it, for messages; empty at the top.
    """

    def __init__(self, members: Mapping[str, Any], path: str = "") -> None:
        self._members = members
        self._path = path

    @classmethod
    def of(cls, body: bytes) -> "Fields":
        """A body; an empty one is an object without members.

        Raises:
            RefusedError: It is no JSON object.
        """
        try:
            found = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            raise RefusedError("InvalidArgumentException", "The body is not valid JSON.") from None
        if not isinstance(found, dict):
            raise RefusedError("InvalidArgumentException", "The body is not a JSON object.")
        return cls(found)

    def text(self, name: str, form: re.Pattern[str]) -> str | None:
        """A string; None where there is none.

        Raises:
            RefusedError: It is no string, or not of that form.
        """
        found = self._members.get(name)
        if found is None:
            return None
        if not isinstance(found, str) or not form.fullmatch(found):
            raise self._wrong(name, "is not of the form that it must have")
        return found

    def need_text(self, name: str, form: re.Pattern[str]) -> str:
        """A string that must be there.

        Raises:
            RefusedError: There is none, or it is wrong.
        """
        return self._needed(name, self.text(name, form))

    def choice(self, name: str, of: Collection[str]) -> str | None:
        """One of several words; None where there is none.

        Raises:
            RefusedError: It is none of them.
        """
        found = self._members.get(name)
        if found is not None and (not isinstance(found, str) or found not in of):
            raise self._wrong(name, f"must be one of {', '.join(sorted(of))}")
        return found

    def need_choice(self, name: str, of: Collection[str]) -> str:
        """One of several words, that must be there.

        Raises:
            RefusedError: There is none, or it is none of them.
        """
        return self._needed(name, self.choice(name, of))

    def number(self, name: str, *, least: int, most: int | None = None) -> int | None:
        """A whole number; None where there is none.

        Raises:
            RefusedError: It is no whole number, or out of bounds.
        """
        found = self._members.get(name)
        if found is None:
            return None
        if not isinstance(found, int) or isinstance(found, bool):
            raise self._wrong(name, "must be a whole number")
        if found < least or (most is not None and found > most):
            raise self._wrong(name, f"must lie between {least} and {most}" if most else f"must be >= {least}")
        return found

    def need_number(self, name: str, *, least: int, most: int | None = None) -> int:
        """A whole number that must be there.

        Raises:
            RefusedError: There is none, or it is wrong.
        """
        return self._needed(name, self.number(name, least=least, most=most))

    def moment(self, name: str) -> datetime | None:
        """A time, in seconds since the epoch; None where there is none. Aware, UTC.

        Raises:
            RefusedError: It is no number, or no date that there is.
        """
        found = self._members.get(name)
        if found is None:
            return None
        if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= _LAST_SECOND:
            raise self._wrong(name, "must be a time in seconds since the epoch")
        return datetime.fromtimestamp(found, UTC)

    def need_moment(self, name: str) -> datetime:
        """A time that must be there.

        Raises:
            RefusedError: There is none, or it is wrong.
        """
        return self._needed(name, self.moment(name))

    def within(self, name: str) -> "Fields | None":
        """An object inside; None where there is none.

        Raises:
            RefusedError: It is no object.
        """
        found = self._members.get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise self._wrong(name, "must be an object")
        return Fields(found, f"{self._path}{name}.")

    def need_within(self, name: str) -> "Fields":
        """An object inside, that must be there.

        Raises:
            RefusedError: There is none, or it is none.
        """
        return self._needed(name, self.within(name))

    def texts(self, name: str, form: re.Pattern[str], *, most: int) -> list[str]:
        """A list of strings that must be there and has at least one.

        Raises:
            RefusedError: There is none, it is empty or too long, or one is wrong.
        """
        found = self._needed(name, self._members.get(name))
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            raise self._wrong(name, f"must be a list of 1 to {most}")
        if not all(isinstance(each, str) and form.fullmatch(each) for each in found):
            raise self._wrong(name, "holds something that is not of the form that it must have")
        return found

    def tags(self, name: str) -> dict[str, str] | None:
        """Tags, as an object or as a list of `Key` and `Value`; None where there are none.

        Raises:
            RefusedError: One is wrong, or there are more than 50.
        """
        found = self._members.get(name)
        if found is None:
            return None
        if isinstance(found, list) and all(isinstance(each, dict) for each in found):
            found = {each.get("Key"): each.get("Value") for each in found}
        if not isinstance(found, dict) or not 1 <= len(found) <= _TAGS:
            raise self._wrong(name, f"must be 1 to {_TAGS} tags")
        for key, value in found.items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise self._wrong(name, "must be strings")
            if not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(value):
                raise self._wrong(name, "has a tag that is too long or has characters that it may not have")
        return found

    def tag_keys(self, name: str) -> list[str]:
        """Keys of tags, at least one.

        Raises:
            RefusedError: There is none, or one is wrong.
        """
        return self.texts(name, _TAG_KEY, most=_TAGS)

    def arn(self, name: str) -> str | None:
        """The ARN of a stream; None where there is none.

        Raises:
            RefusedError: It is not of that form.
        """
        found = self.text(name, STREAM_ARN)
        if found is not None and len(found) > _ARN_LENGTH:
            raise self._wrong(name, "is too long")
        return found

    def _needed(self, name: str, found: _T | None) -> _T:
        if found is None:
            raise self._wrong(name, "must be given")
        return found

    def _wrong(self, name: str, what: str) -> RefusedError:
        return RefusedError("InvalidArgumentException", f"{self._path}{name} {what}.")
