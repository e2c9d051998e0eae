"""Frames from cameras, recordings and the bundled scene.

`Camera` runs a source as a camera: newest frame first, reconnecting. `recorded_frames`
reads a recording from beginning to end. Frames are decoded no further than somebody asks.
Nothing is recognised, logged as an event or written to disk here. See `README.md`.
"""

from appliance.camera.annotate import Mark, annotate
from appliance.camera.capture import Camera, CameraStatistics
from appliance.camera.condition import ConditionWatch
from appliance.camera.jpeg import encode_jpeg
from appliance.camera.opening import open_source
from appliance.camera.replay import recorded_frames
from appliance.camera.ring import CodecParameters, PacketRing, RingFollower, RingPacket
from appliance.camera.scene import Scene
from appliance.camera.scene_coffee import CoffeeScene
from appliance.camera.scene_coffee_script import CoffeeScript, StandingMug, Stop
from appliance.camera.scene_script import Script, Swing, Truth, VisiblePerson, Walk, visits
from appliance.camera.scene_source import SceneSource
from appliance.camera.scene_things import Showing, ThingsScene, ThingsScript
from appliance.camera.source import CapturedFrame, Shot, Source

__all__ = [
    "Camera",
    "CameraStatistics",
    "CapturedFrame",
    "CodecParameters",
    "CoffeeScene",
    "CoffeeScript",
    "ConditionWatch",
    "Mark",
    "PacketRing",
    "RingFollower",
    "RingPacket",
    "Scene",
    "SceneSource",
    "Script",
    "Shot",
    "Showing",
    "Source",
    "StandingMug",
    "Stop",
    "Swing",
    "ThingsScene",
    "ThingsScript",
    "Truth",
    "VisiblePerson",
    "Walk",
    "annotate",
    "encode_jpeg",
    "open_source",
    "recorded_frames",
    "visits",
]
