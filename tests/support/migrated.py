"""A database with something in every table, and what a database says of its tables."""

from typing import Any

from catalogue_things import MODEL, OTHER, picture, thing
from rule_bodies import LINE, rule
from sqlalchemy import Engine, inspect
from stores import AGREED, NOON, OPENED, SHUT, face, on, store

from appliance.events import CoffeeTaken
from appliance.permissions import Permission, Role
from appliance.rules import RuleEngine
from appliance.store import OutboxState, Store


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
