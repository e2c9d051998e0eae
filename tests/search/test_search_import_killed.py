"""`kill -9` at random moments of an import: begun again, nothing is lost, nothing doubled, all is found."""

import hashlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from commands import argv, call
from models_process import lend, models_process
from table_of_things import write_table

from appliance.app.catalogue_import_table import read_table
from appliance.app.search_index import FollowedIndex
from appliance.events import ItemsImported
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Store

ITEMS, KILLS, SEED = 150, 6, 20260105
PATIENCE_S = 60.0
FOUND = 1 - 1e-3
"""Cosine of a picture and itself, by way of half precision."""


def killed_import(state: Path, table: Path, store: Store, chance: random.Random) -> int:
    """Begin an import and kill it some time after it kept something; the items there were then."""
    before = store.item_count()
    process = subprocess.Popen(
        argv("--state", state, "search", "import", table),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + PATIENCE_S
    wanted = before + chance.randint(1, 12)
    while store.item_count() < wanted:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.03))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return store.item_count()


@pytest.mark.slow
def test_killed_again_and_again_an_import_ends_whole(tmp_path: Path) -> None:
    """Each item is there once, as its row says; each picture once; the index that is read has all of them."""
    table = write_table(tmp_path / "table", ITEMS)
    rows, layout, chance = read_table(table.read_bytes()), Layout(tmp_path / "state"), random.Random(SEED)
    with (
        open_services(Settings(), layout, create=True) as services,
        models_process(tmp_path / "models" / "state") as models,
    ):
        lend(models, layout)
        store = services.store
        reached = [killed_import(layout.state, table, store, chance) for _ in range(KILLS)]
        last = call("--state", layout.state, "search", "import", table, "--no-calibrate", "--json")
        again = call("--state", layout.state, "search", "import", table, "--no-calibrate")
        items = store.items(limit=1000, oldest_first=True)
        featurizer = store.search_state().featurizer
        assert featurizer is not None
        followed = FollowedIndex(store, featurizer, 1280)
        followed.follow(threading.Event())
        index = followed.index
        found = [
            (item.entry.id, index.search(features, 1)[0])
            for item in items
            for features in index.features(item.entry.id).values()
        ]
        begun = store.events(types=("items_import_begun",))
        ended = [each.event for each in store.events(types=("items_imported",))]
        missing, verified = store.pictures_without(featurizer), store.verify()
        counts = (store.item_count(), store.picture_count())
    print(f"killed with {reached} of {ITEMS} items kept")

    assert (0, 0) == (last.code, again.code), last.err
    assert f"0 added, 0 changed, {ITEMS} there already" in again.out
    assert sorted(reached) == reached
    assert [each.entry for each in items] == [each.entry for each in rows]
    folder = table.parent
    hashes = [
        [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in row.pictures] for row in rows
    ]
    assert hashes == [[each.sha256 for each in item.pictures] for item in items]
    assert counts == (ITEMS, sum(map(len, hashes)))
    assert {1} == set(Counter(each.id for item in items for each in item.pictures).values())
    assert [] == missing
    assert counts == (index.item_count, len(index))
    assert [] == [(item, each) for item, each in found if each.item != item or each.score < FOUND]
    assert (KILLS + 2, 2) == (len(begun), len(ended))
    assert all(isinstance(each, ItemsImported) and each.rows == ITEMS for each in ended)
    assert verified.last >= KILLS + 4
