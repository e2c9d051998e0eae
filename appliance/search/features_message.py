"""Features as a message, in the form of the DeepLens sample: `{"features": "f1,f2,…"}`, both ways.

The sample sent its network's numbers as they were; here they are brought to length 1 when read, so that what
a function published is compared like everything else. Reads nothing but the message, and trusts none of it.
"""

import json
from collections.abc import Collection
from typing import Final

import numpy as np

from appliance.errors import FeaturesError
from appliance.values import FloatArray

MOST: Final = 1e30
"""Beyond what a network gives, and small enough to be squared."""
KEY: Final = "features"
SIZES: Final = (1280, 2048)
"""How many numbers are taken: those of EfficientNet-Lite0, and those of the sample's ResNet-50."""
MOST_BYTES: Final = 131_072
"""The most that a message to the cloud's broker may have; 2048 numbers of twenty digits are a third of it."""


def features_message(features: FloatArray) -> bytes:
    """The message of a picture, JSON in UTF-8.

    Args:
        features: float32, (n,), finite.

    Raises:
        ValueError: A number is not finite.
    """
    if features.ndim != 1 or not np.isfinite(features).all():
        raise ValueError("features are finite numbers, one after another")
    # Nine digits are what it takes to read the same float32 again.
    return json.dumps({KEY: ",".join(f"{float(each):.9g}" for each in features)}).encode()


def read_features_message(payload: bytes | str, *, sizes: Collection[int] = SIZES) -> FloatArray:
    """The features in a message.

    Numbers may stand in a string with commas between, as the sample sent them, with blanks or line ends and a
    comma too many at the end, or in a JSON list. Other keys are not looked at.

    Args:
        payload: As it came.
        sizes: How many numbers are taken.

    Returns:
        float32, (one of `sizes`,), of length 1.

    Raises:
        FeaturesError: It is too large, not JSON, without features, or they are not such numbers.
    """
    if len(payload) > MOST_BYTES:
        raise _refused("too_large", f"it has {len(payload)} bytes, more than {MOST_BYTES}")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _refused("not_json", "it is not JSON") from error
    if not isinstance(message, dict) or KEY not in message:
        raise _refused("no_features", f"it has no {KEY!r}")
    numbers = _numbers(message[KEY])
    if len(numbers) not in sizes:
        wanted = " or ".join(str(size) for size in sizes)
        raise _refused("wrong_size", f"it has {len(numbers)} numbers, and {wanted} are needed")
    # Written so that what is no number is refused too.
    if not np.all(np.abs(numbers) <= MOST):
        raise _refused("not_numbers", "a number is not finite, or too large")
    length = float(np.linalg.norm(numbers))
    if length == 0:
        raise _refused("all_zero", "all its numbers are zero")
    return (numbers / length).astype(np.float32)


def _numbers(given: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What stands under the key, as float64 (n,)."""
    if isinstance(given, str):
        stripped = given.strip().removesuffix(",")
        parts: list[object] = list(stripped.split(",")) if stripped else []
    elif isinstance(given, list):
        parts = given
    else:
        raise _refused("not_numbers", "its features are neither a string nor a list")
    try:
        return np.array([_number(each) for each in parts], np.float64)
    except (ValueError, OverflowError) as error:
        raise _refused("not_numbers", "its features are not all numbers") from error


def _number(given: object) -> float:
    # float() alone would take "1_000", and True for 1.
    if isinstance(given, str) and "_" not in given:
        return float(given)
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given)
    raise ValueError("no number")


def _refused(reason: str, what: str) -> FeaturesError:
    return FeaturesError(
        f"a message with features cannot be used: {what}",
        reason=reason,
        hint='it has to be like {"features": "0.1,0.2,…"}, with as many numbers as the featurizer gives',
    )
