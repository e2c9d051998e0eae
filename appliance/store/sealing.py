"""What the store needs of whoever seals; the app hands it the vault, tests a fake.

The store itself knows no cipher. A process without keys hands over none: it can append and
read the log, and whatever is sealed stays shut to it.
"""

from typing import Protocol

from appliance.errors import StoreError


class Seal(Protocol):
    """Seals under keys of subjects, and signs the chain."""

    def new_subject_key(self, subject: str) -> bytes:
        """A new key for a subject, wrapped, as it may rest in the database."""

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """Seal `plaintext` for `subject`, bound to `row`.

        Raises:
            VaultError: The wrapped key does not open.
        """

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """Open what was sealed for the same subject and row.

        Raises:
            VaultError: It does not open.
        """

    def sign(self, data: bytes) -> bytes:
        """The device's signature of `data`; equal for equal data."""

    @property
    def public_key(self) -> bytes:
        """Checks `sign`."""

    def verify_signature(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Whether `signature` is that of `data` by the owner of `public_key`."""


def need(seal: Seal | None) -> Seal:
    """The seal, for what cannot be done without.

    Raises:
        StoreError: This process has none.
    """
    if seal is None:
        raise StoreError(
            "this needs the device key, which this process does not hold",
            hint="run it as a command on the box",
        )
    return seal


def profile_row(subject: str) -> str:
    """Where a subject's name rests."""
    return f"subjects/{subject}/profile"


def given_by_row(consent: str) -> str:
    """Where it rests who gave a consent."""
    return f"consents/{consent}/given_by"


def details_row(reference: str) -> str:
    """Where a reference's origin rests."""
    return f"references/{reference}/details"


def embedding_row(reference: str, model: str) -> str:
    """Where a template rests."""
    return f"templates/{reference}:{model}/embedding"


def pin_row(subject: str) -> str:
    """Where the hash of somebody's PIN rests."""
    return f"pins/{subject}/hash"


def personal_row(event: str) -> str:
    """Where what is personal about an event rests."""
    return f"events/{event}/personal"


def picture_row(picture: str) -> str:
    """Where a picture of the catalogue rests."""
    return f"search_pictures/{picture}/jpeg"


def login_row(operator: str) -> str:
    """Where it rests what an operator signs in as."""
    return f"operators/{operator}/login"


def token_label_row(token: str) -> str:
    """Where a token's label rests."""
    return f"api_tokens/{token}/label"
