"""Records into a folder until it is killed: each fragment's number is said once it is on the disk.

python recording_process.py FOLDER CLIP: FOLDER has the vault's keys and, in `clips`, the clips.
"""

import sys
from pathlib import Path

from footage import Kept, fragment

from appliance.vault import KeyFile, Vault
from appliance.video.clip import About

STEP_MS = 2_000
SIZE = 256 * 1024


def main(folder: Path) -> None:
    """Record a second of video as fast as the disk takes it, again and again."""
    vault = Vault(KeyFile(folder / "device.key"), folder).unlock()
    kept = Kept(folder / "clips", vault)
    clip = kept.clips.begin("hall", 640, 360, About(), 1_000)
    print(clip.id, flush=True)
    for number in range(100_000):
        piece = fragment(1_000 + number * STEP_MS, STEP_MS, picture=bytes([number % 251]) * SIZE)
        kept.clips.add(clip.id, piece.timecode_ms, piece.duration_ms, piece.frames[0].data)
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
