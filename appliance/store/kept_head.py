"""The newest signed head, in a file beside the database: what `verify` holds the log against.

Whoever can write the database, but not this file, cannot set the log back unnoticed. It says
nothing against somebody who can write both, or who holds the signing key: export heads for that.
"""

from pathlib import Path

from appliance import private_files
from appliance.errors import InputError, StoreError
from appliance.store.chain import SignedHead


def read_head(path: Path) -> SignedHead | None:
    """The head in the file; None when there is no file.

    Raises:
        StoreError: It cannot be read, or is no head.
    """
    try:
        return SignedHead.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", hint="check its owner") from error
    except InputError as error:
        raise StoreError(
            f"{path} is damaged: it holds no signed head of the log",
            hint="verify the log against an exported head; then remove the file",
        ) from error


def write_head(path: Path, head: SignedHead) -> None:
    """Put a head in the place of the one before, whole or not at all.

    Raises:
        StoreError: The folder is full or not writable.
    """
    try:
        private_files.replace(path, head.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}",
            hint="check the state directory's owner and free space",
        ) from error
