"""A prepared song as what outputs take: 16 bits, stereo, piece by piece, as loud as is wanted at that moment.

The first piece is there within milliseconds, whatever the song's length. Files from outside never come here;
they were prepared in another process.
"""

import io
from collections.abc import Callable, Iterator

import av
import av.error
import av.logging
import numpy as np
from av.audio.resampler import AudioResampler

from appliance.actions.song_files import RATE
from appliance.errors import ActionError


def decoded(audio: bytes, volume: Callable[[], int]) -> Iterator[bytes]:
    """The song from its beginning to its end.

    Args:
        audio: As it was prepared.
        volume: Asked for every piece: 0 (silent) to 100 (as prepared).

    Raises:
        ActionError: It is damaged.
    """
    av.logging.set_level(None)
    resampler = AudioResampler(format="s16", layout="stereo", rate=RATE)
    try:
        with av.open(io.BytesIO(audio), "r", format="mp3") as container:
            for frame in container.decode(container.streams.audio[0]):
                for each in resampler.resample(frame):
                    # A square: halfway sounds like half, as knobs do.
                    gain = np.float32((volume() / 100) ** 2)
                    yield (each.to_ndarray() * gain).astype("<i2").tobytes()
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise ActionError(
            "the song in the library is damaged", permanent=True, hint="add it again"
        ) from error
