"""A seal for the store's tests: the vault's shape without its cost, the same bytes every time.

It binds a value to key, subject and row as the vault does, and passes the same contract suite.
It hides nothing from anybody who reads this file.
"""

import hashlib
import hmac

from appliance.errors import VaultError

_TAG = 16


class ToySeal:
    """Keys and signatures made from a seed.

    Attributes:
        public_key: Checks `sign`; 32 bytes.
    """

    def __init__(self, seed: str = "box") -> None:
        self._secret = hashlib.sha256(seed.encode()).digest()
        self.public_key = hashlib.sha256(b"public" + self._secret).digest()
        self._made = 0

    def new_subject_key(self, subject: str) -> bytes:
        """The next key of this seed, sealed for the subject."""
        self._made += 1
        return self._seal(self._secret, subject, f"key {self._made}".encode(), "key")

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """Seal for this subject and row."""
        return self._seal(self._open(self._secret, subject, wrapped_key, "key"), subject, plaintext, row)

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """Open what was sealed for this subject and row.

        Raises:
            VaultError: It was not.
        """
        return self._open(self._open(self._secret, subject, wrapped_key, "key"), subject, sealed, row)

    def sign(self, data: bytes) -> bytes:
        """64 bytes that only this seed makes of `data`."""
        return hmac.digest(self.public_key, data, "sha512")

    def verify_signature(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Whether `sign` of that key's owner made it."""
        return hmac.compare_digest(hmac.digest(public_key, data, "sha512"), signature)

    def _seal(self, key: bytes, subject: str, plaintext: bytes, row: str) -> bytes:
        tag = hmac.digest(key, f"{subject}\0{row}\0".encode() + plaintext, "sha256")[:_TAG]
        return tag + _hidden(key + tag, plaintext)

    def _open(self, key: bytes, subject: str, sealed: bytes, row: str) -> bytes:
        plaintext = _hidden(key + sealed[:_TAG], sealed[_TAG:])
        if self._seal(key, subject, plaintext, row) != sealed:
            raise VaultError(f"the sealed value at {row} does not open")
        return plaintext


def _hidden(key: bytes, data: bytes) -> bytes:
    """`data` mixed with bytes of the key's; twice gives it back."""
    mask = hashlib.shake_256(key).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, mask, strict=True))
