"""Where sound goes: what every output promises, and the form of what it is given.

An output takes pieces of sound in their order and in their own time; how loud they are was settled before.
Which songs come when is for `song_player`.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from appliance.actions.song_files import RATE

CHANNELS: Final = 2
SAMPLE_BYTES: Final = 2
FRAME_BYTES: Final = CHANNELS * SAMPLE_BYTES
"""Of one moment: left and right, signed 16 bits each, little-endian."""
BYTES_A_SECOND: Final = RATE * FRAME_BYTES


class AudioOutput(Protocol):
    """Something that plays. One sound at a time."""

    def play(
        self, pieces: Iterable[bytes], stopped: Callable[[], bool], began: Callable[[], None] = lambda: None
    ) -> None:
        """Play to the end, or until it is stopped; returns when nothing of it is heard any more.

        Args:
            pieces: Whole frames of 16 bits, stereo, at `RATE`; taken as they are needed.
            stopped: Asked several times a second; True: leave the rest.
            began: Told once, when the first samples were taken.

        Raises:
            NoAudioError: There is no such device or file, or it went away. Whether it had begun is known by
                `began`.
        """
