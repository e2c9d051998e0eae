"""How loud a sound is, and making it as loud as all others: EBU R128 (ITU-R BS.1770), by libav's filters.

Not by its `loudnorm` in one go: that one guesses ahead and misses by several units on sounds of some seconds.
Here the gain is measured and constant, only what would exceed the true peak is limited, and what limiting
took is measured and given back, until it fits. The same input gives the same output.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log10
from typing import Final

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from appliance.actions.song_files import RATE, Samples
from appliance.errors import SongError

TARGET_LUFS: Final = -16.0
"""Integrated loudness of what is prepared: of speech and streaming, comfortable in an office."""
TRUE_PEAK_DBTP: Final = -1.5
SILENT_LUFS: Final = -60.0
"""Quieter than this, all of it is noise: it would be blown up by a factor of a hundred and more."""

_CEILING_DBTP: Final = -2.0
"""What is limited to; encoding adds a few tenths."""
_NEAR_LU: Final = 0.2
_ROUNDS: Final = 6
_OVERSAMPLED: Final = 4 * RATE
_PIECE: Final = 4800

_Chain = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a sound is.

    Attributes:
        lufs: Integrated loudness, gated; -70 is silence.
        peak_dbtp: True peak, decibels of full scale; minus infinite is silence.
    """

    lufs: float
    peak_dbtp: float


def measure(samples: Samples) -> Loudness:
    """Measure a sound of 0.4 seconds and more."""
    told: dict[str, str] = {}
    for frame in _filtered(samples, [("ebur128", "metadata=1:peak=true")]):
        told = dict(frame.metadata)
    peak = float(told.get("lavfi.r128.true_peak", "0"))
    return Loudness(float(told.get("lavfi.r128.I", "-70")), 20 * log10(peak) if peak > 0 else -inf)


def even_out(samples: Samples, target_lufs: float = TARGET_LUFS) -> Samples:
    """The same sound with the loudness that is wanted, its true peak below `TRUE_PEAK_DBTP`.

    Single clicks with silence between them stay quieter than wanted: the peak goes first.

    Raises:
        SongError: There is nothing to be heard in it.
    """
    found = measure(samples)
    if found.lufs <= SILENT_LUFS:
        raise SongError("nothing is to be heard in this part", hint="choose another part, or another file")
    gain_db = target_lufs - found.lufs
    evened, made = samples, found
    for _ in range(_ROUNDS):
        if found.peak_dbtp + gain_db <= _CEILING_DBTP:
            return (samples * 10 ** (gain_db / 20)).astype(np.float32)
        evened = _limited(samples, gain_db)
        made = measure(evened)
        missing = target_lufs - made.lufs
        if abs(missing) <= _NEAR_LU:
            break
        gain_db += missing
    # Steep clicks ring when they are brought back to the ordinary rate.
    over_db = max(0.0, made.peak_dbtp - TRUE_PEAK_DBTP)
    return (evened * 10 ** (-over_db / 20)).astype(np.float32)


def _limited(samples: Samples, gain_db: float) -> Samples:
    """Louder, and limited where it is oversampled: between two samples a peak may be higher than both."""
    ceiling = 10 ** (_CEILING_DBTP / 20)
    chain = [
        ("volume", f"volume={gain_db:.4f}dB:precision=float"),
        ("aresample", str(_OVERSAMPLED)),
        ("alimiter", f"limit={ceiling:.5f}:attack=5:release=60:level=false:latency=true"),
        ("aresample", str(RATE)),
        ("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
    ]
    pieces = [np.asarray(frame.to_ndarray(), np.float32) for frame in _filtered(samples, chain)]
    return np.concatenate(pieces, axis=1)[:, : samples.shape[1]]


def _filtered(samples: Samples, chain: _Chain) -> Iterator[AudioFrame]:
    graph = Graph()
    base = Fraction(1, RATE)
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="stereo", time_base=base)
    last = source
    for name, arguments in [*chain, ("abuffersink", "")]:
        following = graph.add(name, arguments) if arguments else graph.add(name)
        last.link_to(following)
        last = following
    graph.configure()
    for begin in range(0, samples.shape[1], _PIECE):
        piece = np.ascontiguousarray(samples[:, begin : begin + _PIECE])
        frame = AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, begin, base
        source.push(frame)
        yield from _pulled(graph)
    source.push(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
