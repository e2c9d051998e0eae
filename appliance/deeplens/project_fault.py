"""What is wrong with what somebody said of a function, in words that are not a library's.

Knows what the parts of a description are called and how they are written; which values are right is
`project`'s.
"""

from typing import Final

from pydantic import ValidationError

from appliance.deeplens.project import MOST

_WRITTEN: Final = {
    "name": "a name is 1 to 64 letters, digits, - and _, and begins with a letter or a digit",
    "handler": "a handler is written module.function, such as lambda_function.lambda_handler: letters, "
    "digits, - and _, at most 200 of them for the module and 100 for the function",
    "network": "a host is written example.com or example.com:8443, an address 192.0.2.7:9000 or "
    "[2001:db8::1]:443",
    "camera": "a camera's name has 32 characters at most",
    "memory_mb": "memory is 128 to 65536 MiB",
    "thing": "a thing's name is 1 to 128 letters, digits, :, - and _",
    "runtime": "a runtime is python2 or python3",
}
"""By the part's name; topics say by themselves what is wrong with them."""


def fault_of(error: ValidationError) -> tuple[str, str]:
    """Where the first fault of a description is, and what is wrong there, in words without the value.

    Returns:
        The name of the part, such as `network`, with its number from 1 where there are several; and words.
    """
    first = error.errors(include_input=False, include_url=False)[0]
    where = [each for each in first["loc"] if each != "limits"]
    part = str(where[0]) if where else ""
    if first["type"] == "too_long" and part in {"subscriptions", "publishes", "network"}:
        return part, f"{first['ctx']['actual_length']} are given, and {MOST} are the most"
    number = f", number {where[1] + 1}" if len(where) > 1 and isinstance(where[1], int) else ""
    said = first["msg"].removeprefix("Value error, ")
    return part + number, _WRITTEN.get(part, said)
