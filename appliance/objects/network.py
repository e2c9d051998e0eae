"""Opening an object network, and checking that it is one. Nothing else."""

from pathlib import Path
from typing import Any

from appliance import networks


def open_network(weights: Path, *, side: int, labels: int) -> Any:
    """Load a network that takes a picture and gives boxes and scores.

    Args:
        weights: The ONNX file.
        side: Height and width of the picture it takes, pixels.
        labels: How many scores it gives for each box.

    Returns:
        The `onnxruntime.InferenceSession`.

    Raises:
        ModelError: The file cannot be read, or is another network.
    """
    session = networks.open_session(weights, arena=False)
    taken = [(i.name, i.type, i.shape[1:]) for i in session.get_inputs()]
    given = [(o.name, o.shape[2:]) for o in session.get_outputs()]
    if taken != [("chips", "tensor(uint8)", [side, side, 3])] or given != [
        ("boxes", [4]),
        ("scores", [labels]),
    ]:
        raise networks.another_network(weights, taken, given)
    return session
