"""Links for other machines: where they begin, and what is said when no other machine gets there."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from web_site import Site, open_site

from appliance.permissions import Role
from appliance.services import Layout
from web.reach import is_loopback, own_address

PAGES = (
    ("/devices/screens", {"label": "Kitchen"}, "/screen/pair"),
    ("/operators", {"name": "Otto", "role": "viewer"}, "/password"),
)


def made(site: Site, path: str, form: dict[str, str]) -> str:
    """The page with a link that was just made, asked for on the machine itself."""
    return str(site.client("admin").post(path, form, follow_redirects=True).text)


@pytest.mark.parametrize(("path", "form", "leads"), PAGES)
def test_a_link_that_opens_here_alone_says_so(
    site: Site, path: str, form: dict[str, str], leads: str
) -> None:
    """With the very lines of the settings file that change it."""
    page = made(site, path, form)

    assert re.search(rf'value="https://localhost{leads}[^"#]*#', page)
    assert "opens on this machine only" in page
    assert "[web]\nhost = &#34;0.0.0.0&#34;\nnames = [" in page


@pytest.mark.parametrize(("path", "form", "leads"), PAGES)
@pytest.mark.parametrize(
    ("around", "begins", "guessed"),
    [
        ({"host": "0.0.0.0", "names": ("door.example",)}, "https://door.example", False),  # noqa: S104
        ({"host": "192.0.2.7"}, "https://192.0.2.7", True),
        ({"host": "127.0.0.1", "proxied": True, "names": ("door.example",)}, "https://door.example", False),
    ],
)
def test_a_link_made_on_the_machine_leads_there_from_elsewhere(  # noqa: PLR0917 - what varies
    tmp_path: Path,
    filled: tuple[Path, dict[Role, str]],
    path: str,
    form: dict[str, str],
    leads: str,
    around: dict[str, Any],
    begins: str,
    guessed: bool,  # noqa: FBT001 - pytest's
) -> None:
    """It begins with the machine's name, or with an address of its own, and never with 127.0.0.1."""
    shutil.copytree(filled[0], tmp_path / "state", ignore=shutil.ignore_patterns("run"))
    with open_site(Layout(tmp_path / "state"), secrets=filled[1], **around) as site:
        page = made(site, path, form)

    assert re.search(rf'value="{begins}{leads}[^"#]*#', page)
    assert "opens on this machine only" not in page
    assert guessed == ("takes for its own address" in page)


def test_loopback_is_known_in_all_its_spellings() -> None:
    """Names and addresses of both families."""
    assert all(is_loopback(each) for each in ("127.0.0.1", "127.3.2.1", "::1", "localhost", "LOCALHOST."))
    assert not any(is_loopback(each) for each in ("10.0.0.5", "::", "0.0.0.0", "door", "localhost.evil"))  # noqa: S104
    assert "10.0.0.5" == own_address("10.0.0.5")
