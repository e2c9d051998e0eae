"""Opening a network of this room, which takes one uint8 input named `chips`, and checking that it is one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance import networks


def open_session(weights: Path, *, side: int | None, last_axes: Sequence[int]) -> Any:
    """Load a network and check that it is of the expected kind.

    Args:
        weights: The ONNX file.
        side: Height and width of the input pictures, or None where they may vary.
        last_axes: Length of the last axis of each output.

    Returns:
        The `onnxruntime.InferenceSession`.

    Raises:
        ModelError: The file cannot be read, or is another network.
    """
    session = networks.open_session(weights)
    taken, given = session.get_inputs(), session.get_outputs()
    sides = taken[0].shape[1:3]
    if (
        [i.name for i in taken] != ["chips"]
        or taken[0].type != "tensor(uint8)"
        or (sides != [side, side] if side is not None else any(isinstance(s, int) for s in sides))
        or [o.shape[-1] for o in given] != list(last_axes)
    ):
        raise networks.another_network(weights, taken[0].shape, [o.shape for o in given])
    return session
