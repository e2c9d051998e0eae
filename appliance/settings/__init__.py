"""Settings: one TOML written by people, read into frozen models; nothing here writes it.

`model` holds one frozen pydantic model per room; `source` reads the file and finds the
line of what is wrong; `overlay` makes the text of the file in which the UI keeps what was changed in
it, and `merging` lays that over the first. A room is handed its own model and nothing else. People, rules and
consents are not settings; they live in the database.
"""

from appliance.settings.audio import AudioSettings, QuietHours
from appliance.settings.coffee import CoffeeSettings
from appliance.settings.copies import CapturesSettings, S3Settings
from appliance.settings.deeplens import DeepLensSettings
from appliance.settings.index import IndexSettings, OpenSearchSettings
from appliance.settings.kvs import KvsSettings, stream_of
from appliance.settings.locks import LockSettings
from appliance.settings.model import (
    ActionSettings,
    CameraSettings,
    DoorSettings,
    EncounterSettings,
    EvidenceSettings,
    FaceSettings,
    LogSettings,
    ModelSettings,
    ProcessSettings,
    RecognitionSettings,
    ScreenSettings,
    Settings,
    StoreSettings,
    VaultSettings,
    WebSettings,
    When,
)
from appliance.settings.mqtt import MqttSettings
from appliance.settings.objects import ObjectsSettings
from appliance.settings.retention import HeadsSettings, RetentionSettings
from appliance.settings.search import SearchNetworkSettings, SearchSettings
from appliance.settings.source import load, nested_model, parse
from appliance.settings.video import VideoSettings
from appliance.settings.webhooks import WebhookSettings

__all__ = [
    "ActionSettings",
    "AudioSettings",
    "CameraSettings",
    "CapturesSettings",
    "CoffeeSettings",
    "DeepLensSettings",
    "DoorSettings",
    "EncounterSettings",
    "EvidenceSettings",
    "FaceSettings",
    "HeadsSettings",
    "IndexSettings",
    "KvsSettings",
    "LockSettings",
    "LogSettings",
    "ModelSettings",
    "MqttSettings",
    "ObjectsSettings",
    "OpenSearchSettings",
    "ProcessSettings",
    "QuietHours",
    "RecognitionSettings",
    "RetentionSettings",
    "S3Settings",
    "ScreenSettings",
    "SearchNetworkSettings",
    "SearchSettings",
    "Settings",
    "StoreSettings",
    "VaultSettings",
    "VideoSettings",
    "WebSettings",
    "WebhookSettings",
    "When",
    "load",
    "nested_model",
    "parse",
    "stream_of",
]
