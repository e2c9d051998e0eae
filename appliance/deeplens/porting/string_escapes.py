"""Backslashes in texts: what Python 2 left as it stood, Python 3 warns of or refuses.

Knows one text as it is written, quotes included.
"""

import re

_WRITTEN = re.compile(r"(?s)^(?P<prefix>[a-zA-Z]*)(?P<quotes>\"\"\"|'''|\"|')(?P<body>.*)(?P=quotes)$")
_ESCAPE = re.compile(r"(?s)\\(.)")
_KNOWN = frozenset("\n\\'\"abfnrtv01234567x\r")
_OF_UNICODE = frozenset("NuU")
_SHORT = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")


def mended(written: str, *, python2: bool, unicode_literals: bool = False) -> str:
    r"""The text written so that it means what it meant, without a warning.

    `"\d"` becomes `"\\d"`; in Python 2's plain texts so do `\u`, `\U` and `\N`, which meant nothing there;
    `ur"…"` becomes `r"…"`.
    """
    found = _WRITTEN.match(written)
    if found is None or ("\\" not in written and found["prefix"].lower() != "ur"):
        return written
    prefix = found["prefix"].lower()
    body = found["body"]
    if "f" in prefix:
        return written
    if prefix == "ur":
        body = _SHORT.sub(lambda match: chr(int(match[1] or match[2], 16)), body)
        return f"r{found['quotes']}{body}{found['quotes']}"
    if "r" in prefix:
        return written
    known = _KNOWN
    if "b" not in prefix and ("u" in prefix or unicode_literals or not python2):
        known |= _OF_UNICODE

    def escaped(match: re.Match[str]) -> str:
        return match[0] if match[1] in known else "\\" + match[0]

    return f"{found['prefix']}{found['quotes']}{_ESCAPE.sub(escaped, body)}{found['quotes']}"
