"""The ledger of fetched captures: a line for each that ever arrived, and for each that was opened.

So what the admin deletes stays deleted: what was fetched once is not fetched again. The files themselves are
`pulled_folder`'s.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fetched:
    """A capture that arrived once.

    Attributes:
        sha256: Of the sealed file as it arrived.
        is_open: Its pictures were written here.
    """

    sha256: str
    is_open: bool


class Ledger:
    """One file. Used by one process at a time.

    Args:
        path: Where; it need not be there yet.

    Attributes:
        known: Every capture that ever arrived, by id.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: dict[str, Fetched] = {}

    def read(self) -> None:
        """Read what is there; a line that was cut counts as not written.

        Raises:
            OSError: It cannot be read, or its last line not be ended.
        """
        self.known = {}
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        if content and not content.endswith(b"\n"):
            with self._path.open("ab") as file:
                file.write(b"\n")
        for line in content.splitlines():
            try:
                row = json.loads(line)
                self.known[str(row["capture"])] = Fetched(str(row["sha256"]), is_open=row["opened"] is True)
            except (ValueError, KeyError, TypeError):
                continue

    def note(self, capture: str, fetched: Fetched) -> None:
        """Write down that a capture arrived, or was opened.

        Raises:
            OSError: It cannot be written.
        """
        line = json.dumps({"capture": capture, "sha256": fetched.sha256, "opened": fetched.is_open})
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)
        self.known[capture] = fetched
