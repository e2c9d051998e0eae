"""Moments: whether they are kept, how far behind a search service is, and what is in its way."""

from collections.abc import Iterator

from appliance.app.examining.finding import Finding
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Cursor

_CHECK = "appliance index status"
_BEHIND = 10_000
"""Moments that a search service may lack before it is told of: some minutes of what a few cameras see."""


def indexed(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """How the index is, and how far a search service is; nothing where none is kept. It is not asked.

    Raises:
        StoreError: The database cannot be opened.
    """
    if not settings.index.enabled or not layout.database.exists():
        return
    from appliance.app.index_copying import cursor_of  # noqa: PLC0415 - most boxes load no client

    search = settings.index.opensearch
    with open_services(settings, layout) as services:
        many, newest = services.store.moment_count(), services.store.newest_moment()
        cursors = {each.name: each for each in services.store.cursors()}
    yield Finding("index", "ok", f"{many} moments are kept to be searched")
    if search.url:
        yield _search(cursors.get(cursor_of(search)), newest)


def _search(cursor: Cursor | None, newest: int) -> Finding:
    position, sent, trouble = (
        (0, 0, None) if cursor is None else (cursor.position, cursor.many, cursor.trouble)
    )
    words = f"{sent} moments were sent to the search service"
    if trouble is not None:
        hint = "look at [index.opensearch] in the settings, and at the service"
        return Finding("index", "problem", f"{words}; {trouble}", hint, _CHECK)
    if newest - position > _BEHIND:
        late = f"{words}; it lacks the newest {newest - position}"
        return Finding("index", "note", late, "see that the appliance runs", _CHECK)
    return Finding("index", "ok", words)
