"""The steps from one version of the tables to the next, with and without data, on both databases."""

import shutil
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from catalogue_things import MODEL, OTHER, Follower, jpeg, picture, rested, thing, unit
from rule_bodies import LINE, rule
from sqlalchemy import Engine, inspect, text
from stores import AGREED, NOON, OPENED, SHUT, face, identified, on, sql, store

from appliance.clock import ManualClock
from appliance.errors import ChainBrokenError, StoreError, StoreVersionError
from appliance.events import CoffeeTaken
from appliance.permissions import Permission, Role
from appliance.rules import RuleEngine, parse_rule
from appliance.store import OutboxState, Store, sqlite_url
from appliance.store.database import make_engine, migrating, reading
from appliance.store.schema import HEAD, MIGRATIONS, bring_up_to_date, downgrade, upgrade, version
from appliance.store.tables import metadata
from appliance.values import DLIB

SCRIPTS = ScriptDirectory(str(MIGRATIONS))
DUMPS = sorted((MIGRATIONS.parent / "data" / "databases").glob("*.sql"))
REVISIONS = [step.revision for step in reversed(list(SCRIPTS.walk_revisions()))]


def described(engine: Engine) -> dict[str, object]:
    """Everything the database says about its tables, comparable."""
    inspector = inspect(engine)
    return {
        table: (
            [{**column, "type": str(column["type"])} for column in inspector.get_columns(table)],
            inspector.get_pk_constraint(table),
            sorted(map(str, inspector.get_foreign_keys(table))),
            sorted(map(_index, inspector.get_indexes(table))),
            sorted(map(str, inspector.get_unique_constraints(table))),
        )
        for table in sorted(inspector.get_table_names())
    }


def _index(found: Any) -> str:
    """An index, comparable: of which rows it is, as text."""
    options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
    return str({**found, "dialect_options": options})


def filled(address: str) -> Store:
    """An open store with something in every table."""
    made = store(address, subscriptions=[on("door_opened")], rules=RuleEngine())
    made.open()
    ann = made.add_subject("Ann", consent=AGREED)
    made.add_reference(ann.id, face(), quality=50)
    made.append(OPENED)
    (row,) = made.claim(NOON)
    made.finish(row, OutboxState.DEAD, error="no such program")
    cem = made.add_operator("cem", Role.ADMIN)
    made.open_session(cem.id)
    made.add_token(cem.id, "a script", {Permission.LOG})
    made.pair_screen(made.screen_code("Kitchen"))
    made.password_code(cem.id)
    made.add_rule(rule("door_shut", LINE).body())
    made.set_members(made.add_group("Night shift").id, [ann.id])
    made.give_song(ann.id, made.add_song("Chime", "CC0-1.0", 1.5, "audio/mpeg", b"sound").id)
    made.set_pin(ann.id, "a hash")
    made.append(CoffeeTaken(encounter="e", visitor=1))
    made.put_item(thing("cup-7", "Cup"), [picture(1, MODEL, OTHER)])
    made.put_item(thing("gone"), [picture(2, MODEL)])
    made.remove_item("gone")
    made.set_featurizer(MODEL)
    made.set_next_featurizer(OTHER)
    made.append(SHUT)
    return made


def test_the_program_works_with_the_newest_revision() -> None:
    """One line of revisions, and its end is the one that the program asks for."""
    assert [HEAD] == SCRIPTS.get_heads()
    assert HEAD == REVISIONS[-1]


def test_the_tables_are_those_of_the_program(engine: Engine) -> None:
    """Nothing in `tables.py` lacks a migration, and nothing in the migrations a table."""
    bring_up_to_date(engine)
    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )

        assert [] == compare_metadata(context, metadata)


def test_names_of_constraints_are_those_of_the_program(engine: Engine) -> None:
    """A later step can name what it changes: migrated and freshly made tables are described alike."""
    bring_up_to_date(engine)
    migrated = described(engine)
    with migrating(engine) as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        metadata.drop_all(connection)
        metadata.create_all(connection)
    migrated.pop("alembic_version")

    assert migrated == described(engine)


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_step_goes_up_down_and_up(engine: Engine, revision: str) -> None:
    """After going back and forth the tables are what they were."""
    before = SCRIPTS.get_revision(revision).down_revision or "base"
    with migrating(engine) as connection:
        upgrade(connection, revision)
    first = described(engine)
    with migrating(engine) as connection:
        downgrade(connection, str(before))
    with migrating(engine) as connection:
        upgrade(connection, revision)

    assert revision == version(engine)
    assert first == described(engine)


def test_all_the_way_down_leaves_nothing(engine: Engine) -> None:
    """With data in every table, too."""
    filled(engine.url.render_as_string(hide_password=False)).close()
    with migrating(engine) as connection:
        downgrade(connection, "base")

    assert ["alembic_version"] == inspect(engine).get_table_names()
    assert version(engine) is None


def test_there_is_a_dump_of_every_revision() -> None:
    """Whoever adds a step keeps a database from before the next."""
    assert REVISIONS == [dump.stem for dump in DUMPS]


@pytest.mark.parametrize("dump", DUMPS, ids=lambda p: p.stem)
def test_an_old_database_comes_up_with_its_data(tmp_path: Path, dump: Path) -> None:
    """A dump of each released version, upgraded: chain, people, gallery and dead letter are there."""
    events, strictness = {
        "0001": (5, 1.0),
        "0002": (6, 10.0),
        "0003": (8, 10.0),
        "0004": (8, 10.0),
        "0005": (8, 10.0),
        "0006": (8, 10.0),
        "0007": (8, 10.0),
        "0008": (15, 10.0),
        "0009": (15, 10.0),
        "0010": (15, 10.0),
    }[dump.stem]
    path = tmp_path / "store.sqlite3"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(dump.read_text())
    with store(sqlite_url(path)) as opened:
        report = opened.verify()
        (ann,) = opened.subjects()

        assert (events, "Ann", ("identify",)) == (report.last, ann.name, ann.purposes)
        assert strictness == ann.strictness
        assert face()[DLIB].embedding.tobytes() == opened.template_rows([DLIB])[0].embedding.tobytes()
        assert [OutboxState.DEAD] == [row.state for row in opened.outbox()]
        assert report.last + 1 == opened.append(SHUT).position


def test_a_database_of_rules_comes_up_with_them(tmp_path: Path) -> None:
    """Rule, group, song, PIN, coffee, and what a rule asked for are there, and belong together."""
    path = tmp_path / "store.sqlite3"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript((MIGRATIONS.parent / "data" / "databases" / "0008.sql").read_text())
    with store(sqlite_url(path), rules=RuleEngine()) as opened:
        (ann,), (kept,), (group,) = opened.subjects(), opened.rules(), opened.groups()
        (song,), (coffee,), (row,) = opened.songs(), opened.coffees(), opened.outbox()
        opened.append(OPENED)

        assert rule("door_opened", LINE, cool_down_s=60) == parse_rule(kept.body)
        assert ("Night shift", (ann.id,)) == (group.label, group.members)
        assert {ann.id: song.id} == opened.theme_songs()
        assert [ann.id] == [each.subject for each in opened.pins()]
        assert (ann.id, True) == (coffee.subject, coffee.holds)
        assert (kept.id, {"seconds": 8.0, "text": "hello"}) == (row.rule, row.parameters)
        assert 2 == len(opened.outbox())


def test_a_database_with_a_catalogue_comes_up_with_it(tmp_path: Path) -> None:
    """Items, sealed pictures, features of two models, what is searched in, and what is followed."""
    path = tmp_path / "store.sqlite3"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript((MIGRATIONS.parent / "data" / "databases" / "0010.sql").read_text())
    with store(sqlite_url(path)) as opened:
        key, cup = opened.items()
        page, state = opened.features_after(0, MODEL), opened.search_state()

        assert ("cup-7", "3,50 €", "key-1") == (cup.entry.id, cup.entry.price, key.entry.id)
        assert [jpeg(1), jpeg(2)] == [opened.picture_jpeg(each.id) for each in cup.pictures]
        assert rested(unit(1)).tobytes() == page.features[0].tobytes()
        assert (2, 1, ("cup-7", "cup-7")) == (len(page.pictures), len(page.removed), page.items)
        assert [key.pictures[0].id] == opened.pictures_without(MODEL)
        assert (MODEL, OTHER, 0.5, 2, 3) == (
            state.featurizer,
            state.next_featurizer,
            state.threshold,
            state.items,
            state.pictures,
        )
        assert "same" == opened.put_item(cup.entry, [picture(1, MODEL, OTHER), picture(2, MODEL)])


def test_the_catalogue_goes_and_nothing_else(engine: Engine) -> None:
    """Going back loses it alone; coming up again, it is empty and can be filled."""
    address = engine.url.render_as_string(hide_password=False)
    with filled(address) as box:
        before = (box.verify().last, box.subjects(), box.songs(), box.rules())
    with migrating(engine) as connection:
        downgrade(connection, "0009")

    assert not [name for name in inspect(engine).get_table_names() if name.startswith("search_")]
    assert bring_up_to_date(engine)
    with store(address, seed=2) as box:
        assert before == (box.verify().last, box.subjects(), box.songs(), box.rules())
        assert ([], 0) == (box.items(), box.catalogue_version())
        assert "added" == box.put_item(thing("cup-7"), [picture(1, MODEL)])
        (follower := Follower(box)).read()
        assert 1 == len(follower.known)


def test_what_rules_asked_for_is_no_action_of_the_settings_afterwards(engine: Engine) -> None:
    """Going back, what they asked for and is not done is given up: nobody there knows what it means."""
    address = engine.url.render_as_string(hide_password=False)
    filled(address).close()
    before = sql(address, "SELECT state FROM outbox WHERE action = 'screen'")
    with migrating(engine) as connection:
        downgrade(connection, "0007")

    assert [("pending",)] == [tuple(each) for each in before]
    assert [("dead",)] == [tuple(e) for e in sql(address, "SELECT state FROM outbox WHERE action = 'screen'")]


def test_strictness_comes_and_goes_with_data(engine: Engine) -> None:
    """Those enrolled before have the ordinary threshold; going back loses that column and nothing else."""
    address = engine.url.render_as_string(hide_password=False)
    with filled(address) as people:
        (ann,) = people.subjects()
        people.set_strictness(ann.id, 10)
    with migrating(engine) as connection:
        downgrade(connection, "0001")
    assert "strictness" not in {column["name"] for column in inspect(engine).get_columns("subjects")}

    assert bring_up_to_date(engine)
    with store(address) as people:
        assert (ann.id, "Ann", 1.0, 1) == (
            (kept := people.subject("Ann")).id,
            kept.name,
            kept.strictness,
            kept.references,
        )
        assert {} == people.gallery([DLIB]).strictness
        assert face()[DLIB].embedding.tobytes() == people.gallery([DLIB]).rows[0].embedding.tobytes()
        assert people.verify().last == len(people.events())


def test_operators_come_and_go_with_data(engine: Engine) -> None:
    """Going back loses who may sign in and nothing else: what they did stands in the log and verifies."""
    address = engine.url.render_as_string(hide_password=False)
    with filled(address) as box:
        logged = [event.type for event in box.events()]
        (ann,) = box.subjects()
    with migrating(engine) as connection:
        downgrade(connection, "0002")

    assert not {"operators", "operator_sessions", "api_tokens", "screens", "one_time_codes"} & set(
        inspect(engine).get_table_names()
    )
    assert bring_up_to_date(engine)
    with store(address, seed=2) as box:
        assert ([], [], []) == (box.operators(), box.tokens(), box.screens())
        assert ([ann], logged) == (box.subjects(), [event.type for event in box.events()])
        assert len(logged) == box.verify().last
        assert box.add_first_admin(box.first_run_code(), "dora", "$").has_password


def test_events_of_before_are_found_by_encounter_and_visit(engine: Engine) -> None:
    """What the bodies say is carried over; one that somebody damaged is left to `verify`, not stumbled on."""
    address = engine.url.render_as_string(hide_password=False)
    with store(address) as log:
        log.append(OPENED.model_copy(update={"visit": "v"}))
        log.append(identified("s").model_copy(update={"visit": "v", "door": "main"}))
        log.append(SHUT)
    with migrating(engine) as connection:
        downgrade(connection, "0003")
    sql(address, "UPDATE events SET body = 'no JSON' WHERE position = 3")
    bring_up_to_date(engine)

    assert [("v", None, "main"), ("v", "e", "main"), (None, None, None)] == [
        tuple(row) for row in sql(address, "SELECT visit, encounter, door FROM events ORDER BY position")
    ]
    with store(address) as log, pytest.raises(ChainBrokenError) as caught:
        log.verify()
    assert 3 == caught.value.position


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
