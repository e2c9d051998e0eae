"""The door: a frame in; open, shut or unsure out; debounced. Nothing about faces.

The way of the original (a flood fill on the upper part of the door, its area measured) is
`fill`; what makes a state of it is `watch`.
"""

from appliance.door.fill import fill_fraction
from appliance.door.watch import DoorWatch

__all__ = ["DoorWatch", "fill_fraction"]
