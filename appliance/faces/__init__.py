"""Faces: found in a frame, cut out and aligned, judged, and turned into templates.

Says nothing about who somebody is; that is for `appliance.matching` and `appliance.decision`.
Weights come as paths from whoever opens the room.
"""
