"""Files a command writes where the admin said: what is said when that cannot be."""

import os
from pathlib import Path

import pytest

from appliance.cli.files import new_file, write_file
from appliance.errors import InputError


def test_a_full_disk_asks_for_room() -> None:
    """Another folder of the same disk would not help."""
    with pytest.raises(InputError) as raised:
        write_file(Path("/dev/full"), b"picture")

    assert "No space left" in raised.value.message
    assert "make room" in raised.value.hint


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The hint names what is missing."""
    with pytest.raises(InputError) as raised, new_file(tmp_path / "none" / "list.csv") as file:
        file.write(b"never")

    assert "a folder that is there" in raised.value.hint


def test_a_folder_that_may_not_be_written_to_is_said(tmp_path: Path) -> None:
    """Another file in it would not help either."""
    if os.geteuid() == 0:
        path = Path("/sys/kernel/appliance-list")  # nobody may make a file there
    else:
        tmp_path.chmod(0o500)
        path = tmp_path / "list"
    with pytest.raises(InputError) as raised:
        write_file(path, b"")

    assert "you may write to" in raised.value.hint
