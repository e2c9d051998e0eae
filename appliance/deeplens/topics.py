"""Topics of messages by the rules of MQTT: which are ones at all, and which of them a pattern means. Pure."""

from typing import Final

_MOST_BYTES: Final = 256
"""Of a topic, as AWS IoT has it."""
_MOST_LEVELS: Final = 32
"""Brokers hang up on whoever asks for very many; AWS IoT has eight."""


def fault_of_pattern(text: str) -> str:
    """Why a text is no topic to subscribe to, in words; empty if it is one.

    A broker hangs up on whoever asks for one that is none, and everything else is lost with the connection.

    >>> fault_of_pattern("a/+/#"), fault_of_pattern("#a")
    ('', '# stands alone, as the last level of a topic')
    """
    levels = text.split("/")
    if fault := _fault(text):
        return fault
    if any("#" in each for each in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        return "# stands alone, as the last level of a topic"
    if any("+" in each and each != "+" for each in levels):
        return "+ stands alone, for one level of a topic"
    if levels[0] == "$share":
        return "shared subscriptions are not for functions: write the topic without $share and its group"
    return ""


def fault_of_topic(text: str) -> str:
    """Why a text is no topic to publish to, in words; empty if it is one.

    >>> fault_of_topic("a/b"), fault_of_topic("a/+")
    ('', 'a topic to publish to is named in full, without + and #')
    """
    if fault := _fault(text):
        return fault
    return "a topic to publish to is named in full, without + and #" if any(s in text for s in "+#") else ""


def _fault(text: str) -> str:
    """What is wrong with either."""
    if not text:
        return "a topic has one character at least"
    if not text.isprintable():
        return "a topic has no control characters, and nothing else that cannot be seen"
    if len(text.encode()) > _MOST_BYTES:
        return f"a topic has {_MOST_BYTES} bytes at most"
    return f"a topic has {_MOST_LEVELS} levels at most" if text.count("/") >= _MOST_LEVELS else ""


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic is one that a pattern with `+` and `#` means.

    A pattern that begins with a wildcard means no topic that begins with `$`.

    >>> matches("a/+/c", "a/b/c"), matches("a/#", "a"), matches("#", "$aws/things/x/infer")
    (True, True, False)
    """
    if topic.startswith("$") and pattern[:1] in {"+", "#"}:
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for number, level in enumerate(wanted):
        if level == "#":
            return number == len(wanted) - 1
        if number >= len(given) or level not in {"+", given[number]}:
            return False
    return len(wanted) == len(given)
