"""Answers of the service out of bytes: whole or in pieces, known or not."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.video.kvs.acks import MAX_ACK_BYTES, Ack, AckParser

REAL = (
    b'{"EventType":"BUFFERING","FragmentTimecode":1612524911136,"FragmentNumber":"91343852333181"}\r\n'
    b'{"EventType":"ERROR","FragmentTimecode":152148,"FragmentNumber":"91343852333182",'
    b'"ErrorCode":"MAX_FRAGMENT_DURATION_REACHED","ErrorId":4002}\r\n'
    b'{"EventType":"ERROR","ErrorCode":"INVALID_MKV_DATA","ErrorId":4006}\r\n'
    b'{"EventType":"IDLE"}\r\n'
)
MEANT = [
    Ack("BUFFERING", 1612524911136, "91343852333181"),
    Ack("ERROR", 152148, "91343852333182", 4002, "MAX_FRAGMENT_DURATION_REACHED"),
    Ack("ERROR", error_id=4006, error_code="INVALID_MKV_DATA"),
    Ack("IDLE"),
]
ACKS = st.builds(
    Ack,
    st.sampled_from(["BUFFERING", "RECEIVED", "PERSISTED", "IDLE", "ERROR", "SOMETHING_NEW"]),
    st.none() | st.integers(0, 2**62),
    st.none() | st.from_regex(r"[0-9]{1,47}", fullmatch=True),
    st.none() | st.integers(0, 9999),
    st.sampled_from(["", "INVALID_MKV_DATA"]),
)


def line(ack: Ack, more: dict[str, object]) -> bytes:
    """An answer as the service writes it, with fields that nobody knows."""
    raw = {
        "EventType": ack.event,
        "FragmentTimecode": ack.timecode_ms,
        "FragmentNumber": ack.number,
        "ErrorId": ack.error_id,
        "ErrorCode": ack.error_code or None,
    }
    return json.dumps({**more, **{k: v for k, v in raw.items() if v is not None}}).encode()


def test_what_the_service_really_says_is_understood() -> None:
    """Lines as producers logged them, errors without a timecode among them."""
    assert AckParser().feed(REAL) == MEANT


@given(
    acks=st.lists(ACKS, max_size=6),
    more=st.dictionaries(st.sampled_from(["New", "Nested", "x"]), st.sampled_from([1, "é}{", {"a": [1]}])),
    between=st.sampled_from([b"", b"\n", b"\r\n", b" \n\n"]),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_answers_are_the_same_wherever_they_are_cut(
    acks: list[Ack], more: dict[str, object], between: bytes, cuts: list[int]
) -> None:
    """Borders of chunks mean nothing, and fields that nobody knows change nothing."""
    whole = between.join(line(ack, more) for ack in acks)
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    parser = AckParser()

    heard = [ack for begin, end in pairwise(places) for ack in parser.feed(whole[begin:end])]

    assert (acks, 0) == (heard, parser.garbage)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (b'{"Acknowledgement":{"EventType":"IDLE"}}', Ack("IDLE")),
        (b'{"AckEventType":"PERSISTED","FragmentTimecode":"7"}', Ack("PERSISTED", 7)),
        (b'{"EventType":"ERROR","ErrorId":"4999","ErrorCode":17}', Ack("ERROR", error_id=4999)),
        (b'{"EventType":"error","ErrorId":true,"FragmentTimecode":1.0}', Ack("ERROR", 1)),
    ],
)
def test_other_spellings_are_taken_too(raw: bytes, meant: Ack) -> None:
    """The documentation's names, numbers in quotes, and values of a kind that was not to be expected."""
    assert AckParser().feed(raw) == [meant]


def test_noise_is_passed_over_and_counted() -> None:
    """What is no answer hides none of those that come after it."""
    parser = AckParser()

    heard = parser.feed(b'noise\n{"EventType":"BUFF\n{"EventType":"IDLE"}\n[1]{"a":1}{"EventType":"IDLE"}')

    assert ([Ack("IDLE"), Ack("IDLE")], 4) == (heard, parser.garbage)


def test_noise_without_end_takes_no_memory() -> None:
    """An object that never ends is given up, and answers behind it are heard."""
    parser = AckParser()
    for _ in range(MAX_ACK_BYTES // 1000 + 1):
        parser.feed(b'{"' + b"x" * 1000)

    assert parser.feed(b'\n{"EventType":"IDLE"}') == [Ack("IDLE")]
