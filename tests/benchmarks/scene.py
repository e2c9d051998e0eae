"""The frame and the gallery that the frame benchmarks share."""

from pathlib import Path

import cv2
import numpy as np

from appliance.faces.photo import decode_photo
from appliance.values import FloatArray, ImageArray

ROOT = Path(__file__).resolve().parents[2]
ENROLLED = 10_000
"""References in the gallery."""


def frame_720p() -> ImageArray:
    """1280x720, BGR: one person, the face about a fifth of the frame's width, before a bare wall."""
    portrait = decode_photo((ROOT / "data" / "portraits" / "enrol" / "obama.jpg").read_bytes())
    light = np.linspace(150, 110, 1280)[None, :, None]
    noise = np.random.default_rng(1).normal(0, 2, (720, 1280, 3))
    frame = np.clip(light + noise, 0, 255).astype(np.uint8)
    width = portrait.shape[1] * 700 // portrait.shape[0]
    frame[20:720, 360 : 360 + width] = cv2.resize(portrait, (width, 700), interpolation=cv2.INTER_AREA)
    return frame


def strangers(count: int, *, unit_length: bool = False) -> FloatArray:
    """Made-up embeddings, float32 (count, 128), as long as real ones (1.4, or 1 for SFace)."""
    rows = np.random.default_rng(2).standard_normal((count, 128), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if not unit_length:
        rows *= np.float32(1.4)
    return rows
