"""Settings: one TOML written by people, read into frozen models; nothing here writes it.

`model` holds one frozen pydantic model per room; `source` reads the file and finds the
line of what is wrong; `overlay` makes the text of the file in which the UI keeps what was changed in
it, and `merging` lays that over the first. A room is handed its own model and nothing else. People, rules and
consents are not settings; they live in the database.
"""

from appliance.settings.copies import CapturesSettings, S3Settings
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
from appliance.settings.retention import HeadsSettings, RetentionSettings
from appliance.settings.source import load, nested_model, parse

__all__ = [
    "ActionSettings",
    "CameraSettings",
    "CapturesSettings",
    "DoorSettings",
    "EncounterSettings",
    "EvidenceSettings",
    "FaceSettings",
    "HeadsSettings",
    "LogSettings",
    "ModelSettings",
    "ProcessSettings",
    "RecognitionSettings",
    "RetentionSettings",
    "S3Settings",
    "ScreenSettings",
    "Settings",
    "StoreSettings",
    "VaultSettings",
    "WebSettings",
    "When",
    "load",
    "nested_model",
    "parse",
]
