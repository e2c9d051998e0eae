"""What people may be called: whoever writes themselves with joiners, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dispatch.wording import plain
from appliance.writing import legible, writable

PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
TEXT = st.text(
    st.sampled_from("aZ \u0639\u06cc\u200c\u200d\u202e\n\x1b\U0001f469\ufe0f\ufffd") | st.characters()
)


@given(TEXT)
def test_what_is_shown_is_writing(text: str) -> None:
    """Whatever it was, of the same length; writing stays as it is, and nothing else does."""
    shown = legible(text)

    assert len(text) == len(shown)
    assert writable(shown)
    assert writable(text) == (text == shown)


@given(TEXT)
def test_beyond_what_is_printable_there_are_joiners_alone(text: str) -> None:
    """And whatever is printable is writing."""
    left = text.replace("\u200c", "").replace("\u200d", "")

    assert not writable(text) or left.isprintable()
    assert writable(text) or not text.isprintable()


@pytest.mark.parametrize("stray", ["\u200c", "\u200d"])
@given(name=st.text("abcXYZ\u00e9\u0434", max_size=9), at=st.integers(0, 9))
def test_no_two_names_look_the_same_for_a_joiner(stray: str, name: str, at: int) -> None:
    """In a script with capitals it joins nothing, wherever it stands."""
    assert not writable(name[:at] + stray + name[at:])


def test_a_name_is_told_as_it_is_written() -> None:
    """In the sentences of the log, where what moves a cursor is not."""
    assert f"{PERSIAN} came in\ufffd" == plain(f"{PERSIAN} came in\u202e")
