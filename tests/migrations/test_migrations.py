"""The steps from one version of the tables to the next, with and without data, on both databases."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from catalogue_things import MODEL, OTHER, Follower, jpeg, picture, rested, thing, unit
from migrated import described, filled
from rule_bodies import LINE, rule
from sqlalchemy import Engine, inspect, text
from stores import OPENED, SHUT, face, identified, sql, store

from appliance.errors import ChainBrokenError
from appliance.rules import RuleEngine, parse_rule
from appliance.store import OutboxState, sqlite_url
from appliance.store.database import migrating, reading
from appliance.store.schema import HEAD, MIGRATIONS, bring_up_to_date, downgrade, upgrade, version
from appliance.store.tables import metadata
from appliance.values import DLIB

SCRIPTS = ScriptDirectory(str(MIGRATIONS))
DUMPS = sorted((MIGRATIONS.parent / "data" / "databases").glob("*.sql"))
REVISIONS = [step.revision for step in reversed(list(SCRIPTS.walk_revisions()))]


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
