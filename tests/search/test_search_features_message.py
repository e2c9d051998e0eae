"""Features as messages: what goes out comes back; nothing that is no features comes in."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import FeaturesError
from appliance.search import features_message, read_features_message

FEW = st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=4).filter(
    lambda row: np.linalg.norm(row) > 1e-3
)


@given(FEW)
def test_what_is_written_is_read(numbers: list[float]) -> None:
    """The same direction, of length 1; the sample's own form."""
    features = np.array(numbers, np.float32)
    message = features_message(features)
    read = read_features_message(message, sizes=(4,))

    assert set(json.loads(message)) == {"features"}
    assert [np.float32(each) for each in json.loads(message)["features"].split(",")] == features.tolist()
    assert read.dtype == np.float32
    assert np.allclose(read * np.linalg.norm(features.astype(np.float64)), features, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1280, 2048])
@pytest.mark.parametrize("form", ["{}", " {} ,", "{}\n", "list"])
def test_forms_that_functions_send(size: int, form: str) -> None:
    """With blanks, a comma at the end, a line end, or as a list; other keys are not looked at."""
    numbers = [f"{each % 7}.5" for each in range(size)]
    given_ = [float(each) for each in numbers] if form == "list" else form.format(", ".join(numbers))
    read = read_features_message(json.dumps({"features": given_, "title": "x"}))

    assert read.shape == (size,)
    assert float(np.linalg.norm(read)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"frame retrieved", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        ("[" * 100_000, "not_json"),
        ("x" * 200_000, "too_large"),
        ('"frame retrieved"', "no_features"),
        ("{}", "no_features"),
        ('{"features": ""}', "wrong_size"),
        ('{"features": "1,2,3"}', "wrong_size"),
        ('{"features": [1, 2, 3, 4, 5]}', "wrong_size"),
        ('{"features": 7}', "not_numbers"),
        ('{"features": "1,2,x,4"}', "not_numbers"),
        ('{"features": "1,,3,4"}', "not_numbers"),
        ('{"features": "1,2,1_0,4"}', "not_numbers"),
        ('{"features": [1, true, 3, 4]}', "not_numbers"),
        ('{"features": "1,nan,3,4"}', "not_numbers"),
        ('{"features": [1, NaN, 3, 4]}', "not_numbers"),
        ('{"features": "1,inf,3,4"}', "not_numbers"),
        ('{"features": "1,1e308,1e308,4"}', "not_numbers"),
        ('{"features": [1' + "0" * 400 + ", 2, 3, 4]}", "not_numbers"),
        ('{"features": "0,0,0,0"}', "all_zero"),
    ],
)
def test_what_is_no_features_is_a_typed_error(payload: bytes | str, reason: str) -> None:
    """With what is wrong, and how it should be."""
    with pytest.raises(FeaturesError) as caught:
        read_features_message(payload, sizes=(4,))

    assert caught.value.reason == reason
    assert caught.value.hint


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_noise_is_a_typed_error(payload: bytes | str) -> None:
    """And nothing else."""
    with pytest.raises(FeaturesError):
        read_features_message(payload)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x, max_size=5)))
def test_whatever_stands_under_the_key(value: object) -> None:
    """Strings, lists in lists, numbers of any size."""
    with pytest.raises(FeaturesError):
        read_features_message(json.dumps({"features": value}), sizes=(9,))


def test_features_that_are_no_numbers_are_not_sent() -> None:
    """They never come from a featurizer."""
    with pytest.raises(ValueError, match="finite"):
        features_message(np.array([1, np.nan], np.float32))
