"""`kill -9` of the desk in the midst of imports by page, on both databases: nothing is lost, nothing doubled.

The desk is a process of its own and is killed while several rows are sent at once, as the page's script sends
them; whoever imports then begins again with the same table. Pictures are described by a models process in
memory: what that does is tried elsewhere.
"""

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from catalogue_things import NUMBERS, unit
from postgres import postgres_server
from running_web import SETTINGS, Running, run_web, wait_for

from appliance.app.catalogue_import_table import TableRow, read_table
from appliance.app.search_index import FollowedIndex
from appliance.errors import FormError, PeerGoneError
from appliance.events import ItemChanged, ItemsImported
from appliance.store import Store
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import FeaturizePicture, PictureFeaturized

ROWS, KILLS, AT_ONCE, SEED = 40, 2, 3, 20261122
FEATURIZER = "efficientnet-lite0:0123456789ab"
FOUND = 1 - 1e-3
"""Cosine of a picture and itself, by way of half precision."""


def table() -> bytes:
    """So many items with one picture, every fourth with three."""
    lines = ["id,title,price,pictures"]
    for number in range(ROWS):
        pictures = [f"{number}{each}.jpg" for each in ("abc" if number % 4 == 0 else "a")]
        lines.append(f"shelf {number}/7,Thing {number},{number} €,{';'.join(pictures)}")
    return "\n".join(lines).encode()


def content(path: str) -> bytes:
    """A picture file by its path."""
    return f"the picture {path}".encode()


def described(request: Request[FeaturizePicture]) -> Reply[PictureFeaturized]:
    """What the models process makes of it."""
    features = {FEATURIZER: tuple(unit(int(hashlib.sha256(request.blob).hexdigest()[:8], 16)).tolist())}
    made = PictureFeaturized(
        width=64, height=48, box=(0, 0, 64, 48), width_px=64, height_px=48, features=features
    )
    return Reply(made, b"\xff\xd8\xff" + request.blob)


def gone(action: Any) -> bool:
    """Whether the desk was not there."""
    try:
        action()
    except PeerGoneError:
        return True
    return False


class Page:
    """What the page's script does with a table.

    Args:
        running: The desk.
        secret: Of an admin's session.

    Attributes:
        numbers: Of the imports that it began.
    """

    def __init__(self, running: Running, secret: str) -> None:
        self.numbers: list[int] = []
        self._running = running
        self._secret = secret

    def ask(self, operation: str, blob: bytes = b"", **arguments: Any) -> Any:
        """An operation of the desk."""
        return self._running.desk.ask(operation, arguments, credential=self._secret, blob=blob).result

    def import_(self) -> Any:
        """Send it all; what the import came to.

        Raises:
            PeerGoneError: The desk is gone.
        """
        begun = self.ask("catalogue.import_begin", blob=table(), name="items.csv")
        self.numbers.append(begun["number"])
        rows = self.ask("catalogue.import_rows", number=begun["number"])["rows"]

        def send(row: Any) -> None:
            for path in row["pictures"]:
                self.ask(
                    "catalogue.import_picture",
                    blob=content(path),
                    number=begun["number"],
                    index=row["index"],
                    path=path,
                )

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(send, rows))
        return self.ask("catalogue.import_end", number=begun["number"])


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Settings that name it."""
    with ExitStack() as opened:
        if request.param == "sqlite":
            yield ""
        else:
            yield f'[store]\nurl = "{opened.enter_context(postgres_server()).migrated()}"\n'


def kill_and_start(running: Running, page: Page, store: Store, chance: random.Random) -> int:
    """Import, kill the desk some time after it kept something, and start it again; the items there were."""
    before = store.item_count()
    with ThreadPoolExecutor(1) as importing:
        ended = importing.submit(gone, page.import_)
        wanted = before + chance.randint(1, 5)
        wait_for(lambda: ended.done() or store.item_count() >= wanted, "rows to be kept")
        time.sleep(chance.uniform(0, 0.03))
        running.stop("desk", kill=True)
        assert ended.result(), "it ended before it was killed"
    reached = store.item_count()
    running.start("desk")
    wait_for(lambda: not gone(lambda: page.ask("catalogue.size")), "the desk to answer")
    return reached


@pytest.mark.slow
def test_a_desk_that_is_killed_again_and_again_ends_with_the_whole_table(
    tmp_path: Path, database: str
) -> None:
    """Each item once, as its row says, each picture once, all found; the log has each import that began."""
    rows: list[TableRow] = read_table(table())
    chance = random.Random(SEED)
    with ExitStack() as opened:
        running = opened.enter_context(
            run_web(tmp_path / "state", settings=SETTINGS + database, processes=("desk",))
        )
        layout = running.context.layout
        opened.enter_context(Server(layout.socket("models"), {FeaturizePicture: described}))
        store = opened.enter_context(running.context.services()).store
        page = Page(running, running.secret())
        reached = [kill_and_start(running, page, store, chance) for _ in range(KILLS)]
        last, again = page.import_(), page.import_()
        with pytest.raises(FormError, match="no such import any more"):  # a page that outlived its desk
            page.ask("catalogue.import_rows", number=page.numbers[0])
        items = store.items(limit=1000, oldest_first=True)
        followed = FollowedIndex(store, FEATURIZER, NUMBERS)
        followed.follow(threading.Event())
        found = [
            (item.entry.id, followed.index.search(features, 1)[0])
            for item in items
            for features in followed.index.features(item.entry.id).values()
        ]
        counts = (store.item_count(), store.picture_count())
        said = [each.event for each in store.events()]
        missing, verified = store.pictures_without(FEATURIZER), store.verify()
    print(f"killed with {reached} of {ROWS} items kept")

    assert sorted(reached) == reached
    assert (ROWS, 0, ROWS - reached[-1]) == (last["rows"], last["refused"], last["added"])
    assert (ROWS, 0) == (again["same"], again["pictures"])
    assert sorted(each.entry.id for each in rows) == sorted(each.entry.id for each in items)
    by_id = {each.entry.id: each for each in items}
    assert [each.entry for each in rows] == [by_id[each.entry.id].entry for each in rows]
    hashes = [{hashlib.sha256(content(path)).hexdigest() for path in row.pictures} for row in rows]
    assert hashes == [{each.sha256 for each in by_id[row.entry.id].pictures} for row in rows]
    assert counts == (ROWS, sum(map(len, hashes)))
    assert {1} == set(Counter(each.id for item in items for each in item.pictures).values())
    assert [] == missing
    assert counts == (followed.index.item_count, len(followed.index))
    assert [] == [(item, each) for item, each in found if each.item != item or each.score < FOUND]
    begun = [each for each in said if isinstance(each, ItemsImported) and each.type == "items_import_begun"]
    ended = [each for each in said if isinstance(each, ItemsImported) and each.type == "items_imported"]
    assert (KILLS + 2, 2) == (len(begun), len(ended))
    assert [] == [each for each in said if isinstance(each, ItemChanged)]
    assert verified.last >= KILLS + 4
