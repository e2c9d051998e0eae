"""What the doctor says of the index: how much is kept, how far a search service is, what is in its way."""

from pathlib import Path

from stores import NOON

from appliance.app.examining.indexed import indexed
from appliance.app.index_copying import cursor_of
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Seen

SETTINGS = Settings.model_validate({"index": {"opensearch": {"url": "https://search.example.org"}}})


def said(settings: Settings, layout: Layout) -> list[tuple[str, str]]:
    """Health and words of the findings."""
    return [(each.health, each.words) for each in indexed(settings, layout)]


def test_the_doctor_says_what_is_in_the_way_of_a_search_service(tmp_path: Path) -> None:
    """In the words of whoever copies, with where to look; without a service, how much is kept alone."""
    layout, cursor = Layout(tmp_path / "state"), cursor_of(SETTINGS.index.opensearch)
    with open_services(SETTINGS, layout, create=True) as services:
        services.store.note_seen([Seen(NOON, "hall", {"dog": 0.5})])
        services.store.move_cursor(cursor, 1, more=1)
        well = said(SETTINGS, layout)
        services.store.move_cursor(cursor, 1, trouble="it does not know these credentials (401)")
        ill = said(SETTINGS, layout)
        off = said(Settings.model_validate({"index": {"enabled": False}}), layout)

    assert [
        ("ok", "1 moments are kept to be searched"),
        ("ok", "1 moments were sent to the search service"),
    ] == well
    assert (
        "problem",
        "1 moments were sent to the search service; it does not know these credentials (401)",
    ) == ill[1]
    assert [("ok", "1 moments are kept to be searched")] == said(Settings(), layout)
    assert [] == off
