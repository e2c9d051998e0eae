"""What is presented instead of a password: made here, shown once, and kept as a hash only.

Secrets have 256 bits, so that a plain SHA-256 of them tells nothing and a search for that hash
answers whether one is good without comparing the secret itself. A code that is typed is short, lives
ten minutes and stands few tries; a code in a link is as good as a secret.
"""

import secrets
from collections.abc import Mapping
from typing import Final

from appliance.store.chain import sha256

SESSION_PREFIX: Final = "ods_"
TOKEN_PREFIX: Final = "oda_"  # noqa: S105 - shows a scanner of leaked secrets what it found
SCREEN_PREFIX: Final = "odp_"
KEYPAD_PREFIX: Final = "odk_"

_SECRET_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing in it is taken for something else."""
_MISREAD: Mapping[int, str | None] = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_TYPED_CHARS = 8
_LINK_CHARS = 26
_GROUP = 4


def new_secret(prefix: str) -> str:
    """Something to be presented; the prefix says what it is of."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def new_code(*, typed: bool) -> str:
    """A one-time code: 40 bits in two groups of four for who types it, 130 for a link."""
    length = _TYPED_CHARS if typed else _LINK_CHARS
    code = "".join(secrets.choice(_ALPHABET) for _ in range(length))
    return "-".join(code[at : at + _GROUP] for at in range(0, length, _GROUP)) if typed else code


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode(errors="surrogatepass"))


def code_digest(code: str) -> str:
    """What is kept of a code, however it was typed: small letters, without its dash, O for zero."""
    return digest(code.upper().translate(_MISREAD))
