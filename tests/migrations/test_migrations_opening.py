"""Opening brings a database up to date: once, with a copy, wholly or not at all, and never a newer one."""

import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from migrated import described, filled
from sqlalchemy import Engine, text
from stores import NOON, OPENED, SHUT, sql, store

from appliance.clock import ManualClock
from appliance.errors import StoreError, StoreVersionError
from appliance.store import Store, sqlite_url
from appliance.store.database import make_engine, reading
from appliance.store.schema import HEAD, MIGRATIONS, bring_up_to_date, version


def test_bringing_up_twice_is_once(engine: Engine) -> None:
    """The second time there is nothing to do."""
    assert [True, False] == [bring_up_to_date(engine), bring_up_to_date(engine)]


def test_processes_that_start_together_agree(engine: Engine) -> None:
    """However many open a new database at once: one makes the tables, all can use them."""
    address = engine.url.render_as_string(hide_password=False)

    def start(number: int) -> int:
        clock = ManualClock(NOON)
        with Store(address, device=f"box{number}", boot="b", clock=clock) as opened:
            return opened.append(OPENED).position

    with ThreadPoolExecutor(6) as pool:
        assert [1] * 6 == list(pool.map(start, range(6)))


def test_a_newer_database_is_refused_and_left_alone(engine: Engine) -> None:
    """The message says both versions, the hint both ways out."""
    address = engine.url.render_as_string(hide_password=False)
    filled(address).close()
    sql(address, "UPDATE alembic_version SET version_num = '9999'")
    before = described(engine)
    with pytest.raises(StoreVersionError, match="revision 9999, and this program knows up to") as caught:
        store(address).open()

    assert "upgrade the appliance" in caught.value.hint
    assert before == described(engine)
    assert "9999" == version(engine)


def newer_program(folder: Path) -> Path:
    """The migrations of a program that is one step ahead of this one."""
    scripts = folder / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "next.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = 'next', {HEAD!r}\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('subjects') as table:\n"
        "        table.add_column(sa.Column('colour', sa.Text()))\n"
        "        table.alter_column('changed_at', nullable=True)\n"
        "def downgrade():\n"
        "    with op.batch_alter_table('subjects') as table:\n"
        "        table.drop_column('colour')\n"
    )
    return scripts


def test_an_older_database_is_upgraded_with_its_data(engine: Engine, tmp_path: Path) -> None:
    """What was there is there, tables that others point to included; a file is copied before."""
    filled(engine.url.render_as_string(hide_password=False)).close()

    assert bring_up_to_date(engine, to="next", scripts=newer_program(tmp_path))
    assert "next" == version(engine)
    with reading(engine) as connection:
        assert [("active", None)] == list(connection.execute(text("SELECT state, colour FROM subjects")))
        assert 2 == connection.execute(text("SELECT count(*) FROM templates")).scalar_one()
    with pytest.raises(StoreVersionError):
        store(engine.url.render_as_string(hide_password=False)).open()


def test_the_copy_is_whole_and_private(tmp_path: Path) -> None:
    """It is the database as it was before, for the owner's eyes, and opens with the older program."""
    path = tmp_path / "store.sqlite3"
    made = filled(sqlite_url(path))
    last = made.append(SHUT)  # the store stays open, as that of a process that was not stopped
    engine = make_engine(sqlite_url(path))
    bring_up_to_date(engine, to="next", scripts=newer_program(tmp_path))
    engine.dispose()
    made.close()
    copy = tmp_path / f"store.sqlite3.revision-{HEAD}"
    with store(sqlite_url(copy)) as opened:
        assert (last, 1) == (opened.events()[-1], len(opened.subjects()))

    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert [] == list(tmp_path.glob("*.part"))


def test_a_new_or_current_file_is_not_copied(tmp_path: Path) -> None:
    """There is nothing to keep."""
    path = tmp_path / "store.sqlite3"
    filled(sqlite_url(path)).close()
    store(sqlite_url(path)).open().close()

    assert [] == list(tmp_path.glob("*.revision-*"))


def test_no_copy_means_no_upgrade(tmp_path: Path) -> None:
    """Where it cannot be copied it is not touched."""
    path = tmp_path / "store.sqlite3"
    filled(sqlite_url(path)).close()
    (tmp_path / f"store.sqlite3.revision-{HEAD}" / "in-the-way").mkdir(parents=True)
    engine = make_engine(sqlite_url(path))
    with pytest.raises(StoreError, match="it was not upgraded"):
        bring_up_to_date(engine, to="next", scripts=newer_program(tmp_path))

    assert HEAD == version(engine)
    assert [] == list(tmp_path.glob("*.part"))
    engine.dispose()


def test_a_step_that_orphans_rows_is_undone(tmp_path: Path) -> None:
    """Foreign keys are not looked at during a step on SQLite, and checked after it."""
    engine = make_engine(sqlite_url(tmp_path / "store.sqlite3"))
    filled(engine.url.render_as_string(hide_password=False)).close()
    scripts = newer_program(tmp_path)
    with (scripts / "versions" / "next.py").open("a") as step:
        step.write("_whole = upgrade\ndef upgrade():\n    _whole()\n    op.execute('DELETE FROM subjects')\n")
    with pytest.raises(StoreError, match="references to nothing"):
        bring_up_to_date(engine, to="next", scripts=scripts)

    assert HEAD == version(engine)
    with reading(engine) as connection:
        assert 1 == connection.execute(text("SELECT count(*) FROM subjects")).scalar_one()
        assert 1 == connection.execute(text("PRAGMA foreign_keys")).scalar_one()
    engine.dispose()


def test_a_step_that_fails_leaves_the_database_as_it_was(engine: Engine, tmp_path: Path) -> None:
    """Half a step is rolled back, on SQLite, too."""
    filled(engine.url.render_as_string(hide_password=False)).close()
    before = described(engine)
    scripts = newer_program(tmp_path)
    with (scripts / "versions" / "next.py").open("a") as step:
        step.write(
            "_whole = upgrade\ndef upgrade():\n    _whole()\n    op.drop_column('events', 'no_such')\n"
        )
    with pytest.raises(StoreError):
        bring_up_to_date(engine, to="next", scripts=scripts)

    assert HEAD == version(engine)
    assert before == described(engine)
