"""The door: a frame in; open, shut or unsure out; debounced. Nothing about faces.

The way of the original (a flood fill on the upper part of the door, its area measured) is
`fill`; `reference` is what the fill runs over, the likeness to the shut door; `beginning` says which
picture that likeness begins with (`shut_picture`, where somebody vouched for one); `outline` finds
the door in it, `evidence` reads a frame, `lines` tells a shadow from an opening, `watch` makes a believed
state of it, and `calibration` proposes the settings (`phases` says when the door was shut and opened in a
clip, `placing` where it is). See `README.md`.
"""

from appliance.door.calibration import Proposal, calibrate, check_region
from appliance.door.fill import fill, fill_fraction
from appliance.door.shut_picture import ShutPicture, shut_picture
from appliance.door.snapshot import Snapshot, snapshot
from appliance.door.watch import DoorWatch

__all__ = [
    "DoorWatch",
    "Proposal",
    "ShutPicture",
    "Snapshot",
    "calibrate",
    "check_region",
    "fill",
    "fill_fraction",
    "shut_picture",
    "snapshot",
]
