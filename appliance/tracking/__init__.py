"""Tracking: which face in this frame is which face of the frames before.

Boxes and times only; nothing of who it is. A track is one person's stay in the picture
and becomes one encounter, unless their faces say that another has stepped into their place.
"""

from appliance.tracking.tracker import FaceTracker, Track

__all__ = ["FaceTracker", "Track"]
