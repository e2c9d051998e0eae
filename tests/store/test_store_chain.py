"""The chain as pure functions: canonical JSON, links, heads, and any tampering one can think of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seals import ToySeal
from stores import NOON

from appliance.errors import ChainBrokenError, InputError
from appliance.store.chain import GENESIS, SignedHead, canonical, link_hash, sha256
from appliance.store.checking import ChainCheck

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def rows(count: int) -> list[dict[str, Any]]:
    """A chain of so many events."""
    made: list[dict[str, Any]] = []
    previous = GENESIS
    for position in range(1, count + 1):
        body = canonical({"type": "t", "version": 1, "n": position})
        covered: dict[str, Any] = {
            "device": "box",
            "position": position,
            "version": 1,
            "at": NOON,
            "boot": "b",
            "body_sha256": sha256(body),
            "sealed_sha256": sha256(b"sealed"),
            "previous": previous,
        }
        previous = link_hash(event_id=f"id{position}", event_type="t", **covered)
        made.append(
            covered
            | {
                "id": f"id{position}",
                "type": "t",
                "subject": None,
                "encounter": None,
                "visit": None,
                "door": None,
                "body": body,
                "dropped_at": None,
                "sealed_personal": b"sealed",
                "hash": previous,
            }
        )
    return made


def check(chain: list[dict[str, Any]], head: dict[str, Any], against: SignedHead | None = None) -> int:
    """Position of the last event of a chain that holds."""
    walk = ChainCheck("box", {}, ToySeal().verify_signature, None, against)
    return walk.run(chain, head_position=head["position"], head_hash=head["hash"]).last


@given(JSON)
def test_canonical_json_is_one_text_for_one_value(value: Any) -> None:
    """Read back it is the same value, and writing that gives the same text."""
    written = canonical(value)

    assert value == json.loads(written)
    assert written == canonical(json.loads(written))


def test_canonical_json_is_pinned() -> None:
    """The hashes of every log depend on these bytes."""
    value = {"b": [1, 0.1, None, True], "a": '\u00e4\u2028"', "\u00e9": {}}

    assert '{"a":"\u00e4\u2028\\"","b":[1,0.1,null,true],"\u00e9":{}}' == canonical(value)
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical(float("nan"))


def test_a_link_is_pinned() -> None:
    """A change of what is hashed, or how, is a change of the format: it breaks every log there is."""
    link = link_hash(
        device="box",
        position=1,
        event_id="0190a3f2-0000-7000-8000-00000000000a",
        event_type="door_opened",
        version=1,
        at=NOON,
        boot="b",
        body_sha256=sha256("{}"),
        sealed_sha256=None,
        previous=GENESIS,
    )
    expected = sha256(
        '{"at":"2026-01-05T12:00:00.000000Z","body_sha256":'
        '"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","boot":"b","device":"box",'
        '"id":"0190a3f2-0000-7000-8000-00000000000a","position":1,"previous":"' + "0" * 64 + '",'
        '"sealed_sha256":null,"type":"door_opened","version":1}'
    )

    assert expected == link


@given(count=st.integers(1, 12), data=st.data())
def test_any_changed_column_is_found(count: int, data: st.DataObject) -> None:
    """Whichever hashed or derived column of whichever row: found at that row or the next."""
    chain = rows(count)
    head = chain[-1]
    which = data.draw(st.integers(0, count - 1))
    column = data.draw(
        st.sampled_from(
            [
                "id",
                "type",
                "boot",
                "body",
                "body_sha256",
                "sealed_personal",
                "sealed_sha256",
                "previous",
                "hash",
                "subject",
            ]
        )
    )
    changed = dict(chain[which])
    changed[column] = (
        b"x" if column == "sealed_personal" else canonical({"type": "t", "version": 1, "n": "x"})
    )
    chain[which] = changed
    with pytest.raises(ChainBrokenError) as caught:
        check(chain, head)

    assert caught.value.position in (which + 1, which + 2)


@given(count=st.integers(2, 12), data=st.data())
def test_any_other_order_is_found(count: int, data: st.DataObject) -> None:
    """A dropped, doubled or moved row does not verify, wherever it is."""
    chain = rows(count)
    changed = data.draw(
        st.lists(st.sampled_from(range(count)), max_size=count + 1).filter(
            lambda order: order != list(range(count))
        )
    )
    with pytest.raises(ChainBrokenError):
        check([chain[index] for index in changed], chain[-1])


@given(count=st.integers(1, 12))
def test_an_untouched_chain_holds(count: int) -> None:
    """To its end."""
    chain = rows(count)

    assert count == check(chain, chain[-1])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"device":"box"}', "\x00", '{"position":-1}'])
def test_what_is_no_head_is_refused(text: str) -> None:
    """An exported head comes from outside: a stray file is our error, not a traceback."""
    with pytest.raises(InputError, match="not an exported head"):
        SignedHead.parse(text)
