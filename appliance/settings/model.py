"""The settings, one frozen model per room.

Every field has a description, its unit in the name (`_s`, `_px`, `_mib`, `_days`) and, in
`json_schema_extra`, the scope a change needs: `live` (taken up within seconds) or the
process that has to restart. Values are checked here; files and addresses are not opened.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, SecretStr, model_validator

from appliance.settings.audio import AudioSettings
from appliance.settings.coffee import CoffeeSettings
from appliance.settings.copies import CapturesSettings
from appliance.settings.deeplens import DeepLensSettings
from appliance.settings.index import IndexSettings
from appliance.settings.locks import LockSettings
from appliance.settings.mqtt import MqttSettings
from appliance.settings.objects import ObjectsSettings
from appliance.settings.relations import relations
from appliance.settings.retention import HeadsSettings, RetentionSettings
from appliance.settings.room import Fraction, Identifier
from appliance.settings.room import Room as _Room
from appliance.settings.room import field as _field
from appliance.settings.search import SearchSettings
from appliance.settings.video import VideoSettings
from appliance.settings.webhooks import WebhookSettings


class When(StrEnum):
    """When faces are read on a camera."""

    DOOR = "door"
    APPROACH = "approach"
    ALWAYS = "always"


class CameraSettings(_Room):
    """One source of frames."""

    id: Identifier = _field(..., "Name of the camera in events and file names.")
    source: SecretStr = _field(
        ...,
        "Where frames come from: scene:door, scene:coffee, scene:things, /dev/videoN, rtsp://…, http://…, a "
        "video file, or a folder of pictures. May carry a password and is therefore never shown.",
    )
    when: When = _field(
        When.DOOR,
        "When faces are read: door (while it is open, or may be, and some seconds after), approach (looked "
        "for twice a second until somebody comes, then in every frame), or always (in every frame).",
    )
    tail_s: float = _field(
        8.0, "How long faces are still read after the door was shut, seconds.", ge=0, le=120
    )
    fps: float = _field(10.0, "Frames the loop looks at per second, at most.", gt=0, le=60)
    width_px: int = _field(
        1280, "Width of the picture asked of a camera that is plugged in, pixels.", ge=160, le=7680
    )
    height_px: int = _field(
        720, "Height of the picture asked of a camera that is plugged in, pixels.", ge=120, le=4320
    )
    ring_s: float = _field(
        10.0, "Seconds of the stream kept in memory, for what happened just before.", ge=0, le=120
    )
    ring_mib: int = _field(32, "Memory that these seconds may take, MiB.", ge=1, le=1024)
    stall_s: float = _field(
        10.0, "Seconds without a frame after which the source counts as lost.", ge=1, le=300
    )
    reconnect_max_s: float = _field(
        30.0, "Longest pause between attempts to reconnect, seconds.", ge=1, le=3600
    )
    disturbed_after_s: float = _field(
        5.0,
        "Seconds a camera must be dark, covered or frozen before that is logged and its door no longer "
        "believed; three times as long for moved; 0: not watched.",
        ge=0,
        le=3600,
    )


class DoorSettings(_Room):
    """One door, seen by one camera; see `appliance/door`."""

    id: Identifier = _field(..., "Name of the door in events.")
    camera: Identifier = _field(..., "Id of the camera that sees it.")
    region: tuple[Fraction, Fraction, Fraction, Fraction] = _field(
        (0.3, 0.0, 0.7, 0.3),
        "Left, top, right, bottom of the watched area in fractions of the frame: the upper part of the door, "
        "above people's heads, and a little of the wall around it.",
    )
    seed: tuple[Fraction, Fraction] = _field(
        (0.5, 0.15), "A point on the shut door (x, y in fractions of the frame) from which the fill starts."
    )
    rule: Literal["followed", "plain"] = _field(
        "followed",
        "followed: the fill runs over what looks like the shut door, whose look is followed; plain: over "
        "what is as bright as the seed's pixel, and a small fill is an open door.",
    )
    tolerance: int = _field(
        12,
        "How much a spot may differ in brightness, of 255 steps, from the shut door (plain: from the point).",
        ge=1,
        le=100,
    )
    shut_fraction: Fraction = _field(
        0.6, "Share of the watched area that is taken for the door when it is shut."
    )
    open_below: Fraction = _field(0.5, "The door is open when less than this share of that is left.")
    shut_above: Fraction = _field(0.8, "The door is shut when more than this share of that is there again.")
    debounce_s: float = _field(0.4, "Seconds a new state must last before it is believed.", ge=0, le=10)
    held_open_s: float = _field(
        120.0, "Seconds open after which the log says so (door_held_open), once; 0: never.", ge=0, le=86400
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        left, top, right, bottom = self.region
        if not (left < right and top < bottom):
            raise ValueError("region must be left, top, right, bottom with left < right and top < bottom")
        if not (left <= self.seed[0] <= right and top <= self.seed[1] <= bottom):
            raise ValueError("seed must lie inside region")
        if self.open_below >= self.shut_above:
            raise ValueError("open_below must be smaller than shut_above")
        return self


class FaceSettings(_Room):
    """Finding and judging faces."""

    detector: Literal["yunet", "hog"] = _field(
        "yunet", "What finds faces: yunet (fast) or hog (slow; to compare with older programs)."
    )
    embedder: Literal["onnx", "dlib"] = _field(
        "onnx", "What one of the two networks runs in: onnx (fast) or dlib (slow). They find the same."
    )
    detect_width_px: int = _field(
        320,
        "Width of the copy in which faces are looked for; more finds smaller faces, slower.",
        ge=160,
        le=1920,
    )
    min_score: Fraction = _field(0.7, "How certain it must be that something is a face, 0 to 1.")
    min_width_px: int = _field(
        60, "Narrowest face that is compared, pixels of the full picture.", ge=20, le=1000
    )
    min_quality: float = _field(
        30.0,
        "Quality (0 to 100: sharp, frontal, well lit) below which a picture does not count.",
        ge=0,
        le=100,
    )
    max_embedded: int = _field(
        4, "Faces compared in one picture, at most; the least known go first.", ge=1, le=32
    )


class RecognitionSettings(_Room):
    """The decision: score, threshold, margin."""

    composition: Literal["fused", "dlib", "dlib-mirror", "sface"] = _field(
        "fused", "Which network compares faces: both together (fused), or one alone with its own error rates."
    )
    fpir: float = _field(
        0.001,
        "Share of strangers that may be taken for somebody enrolled: 0.001 is one of a thousand.",
        ge=0.00001,
        le=0.1,
    )
    margin: float = _field(
        0.05,
        "How far somebody must be ahead of the second most alike person, in points of likeness.",
        ge=0,
        le=1,
    )
    stranger_band: float = _field(
        0.1,
        "So little short of being recognised, somebody is left undecided, not called a stranger. Wider: "
        "fewer of those enrolled are called strangers, fewer strangers are sealed.",
        command="appliance whatif --stranger-band 0.05",
        ge=0,
        le=1,
    )


class EncounterSettings(_Room):
    """When an encounter begins, is decided and ends."""

    end_after_s: float = _field(3.0, "Seconds out of sight after which somebody's stay is over.", gt=0, le=60)
    confirm_frames: int = _field(3, "Good pictures needed to be sure who it is.", ge=2, le=20)
    keep_frames: int = _field(
        8, "Pictures that are taken together to say who it is, the best, at most.", ge=2, le=50
    )
    repeat_after_s: float = _field(
        30.0, "The same person seen again within this time after an encounter is not greeted again.", ge=0
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.keep_frames < self.confirm_frames:
            raise ValueError("keep_frames must be at least confirm_frames")
        return self


class EvidenceSettings(_Room):
    """Sealed captures of strangers."""

    recipients: tuple[str, ...] = _field(
        (), "Public keys to seal to: age1…, ssh-ed25519 … or ssh-rsa …; none: no picture is kept."
    )
    frames: int = _field(3, "Pictures of a stranger that are sealed, the best.", ge=1, le=3)
    expire_days: float = _field(
        30.0, "Days after which sealed pictures are deleted, copied to a bucket or not.", gt=0, le=3650
    )
    max_mib: int = _field(
        1024,
        "Room for all sealed pictures; above it the oldest go, first those that were copied to the bucket.",
        ge=1,
    )
    min_free_mib: int = _field(200, "Free space on the disk below which no more pictures are kept.", ge=0)
    make_room_mib: int = _field(
        0,
        "Free space below which the oldest sealed pictures go, first those that were copied to the bucket, "
        "to make room for new ones; 0: they stay.",
        ge=0,
    )


class StoreSettings(_Room):
    """The database."""

    url: SecretStr | None = _field(
        None,
        "postgresql+psycopg://… for several doors; empty: SQLite in the state directory.",
        scope="all",
    )


class VaultSettings(_Room):
    """Where the device key comes from."""

    key: Literal["file", "passphrase", "credential"] = _field(
        "file",
        "file (protects copies of the database), passphrase, or a systemd credential (both also protect a "
        "stolen box).",
        scope="all",
    )
    key_file: Path | None = _field(
        None, "The key file; empty: device.key in the state directory.", scope="all"
    )


class ActionSettings(_Room):
    """What is done on an event; the rule engine of the UI builds the same rows."""

    id: Identifier = _field(..., "Name of the action in the outbox.", scope="all")
    on: tuple[str, ...] = _field(
        ..., "Event types that trigger it; a command without any is run by rules only.", scope="all"
    )
    grade: Literal["greeting", "confirmed", "final"] | None = _field(
        None, "For decisions: only this grade triggers it; empty: every grade.", scope="all"
    )
    kind: Literal["line", "command"] = _field(
        "line", "line (one line to standard output) or command.", scope="all"
    )
    argv: tuple[str, ...] = _field(
        (), "The command and its arguments; the event arrives as JSON on standard input.", scope="all"
    )
    names: bool = _field(default=False, description="Whether a line may show people's names.", scope="all")
    delivery: Literal["at_least_once", "at_most_once"] = _field(
        "at_least_once",
        "at_least_once repeats after a crash; at_most_once (songs, unlocking) is never repeated.",
        scope="all",
    )
    deadline_s: float = _field(
        30.0, "For at_most_once: seconds after the event when it is too late.", scope="all", gt=0
    )
    timeout_s: float = _field(10.0, "Seconds a command may run.", scope="all", gt=0, le=300)
    attempts: int = _field(5, "Tries before it goes to the dead letters.", scope="all", ge=1, le=100)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.kind == "command") != bool(self.argv):
            raise ValueError("argv is for kind = 'command', and a command needs it")
        if not self.on and self.kind != "command":
            raise ValueError("on needs an event type at least; only a command may be left to the rules")
        return self


class ProcessSettings(_Room):
    """How many processes, and their limits."""

    models: Literal["own", "loop"] = _field(
        "own", "own: a process of its own; loop: inside the loop, for a small box.", scope="all"
    )
    models_memory_mib: int = _field(
        2048, "Address space the models process may take.", scope="models", ge=512
    )


class WebSettings(_Room):
    """The admin pages and the office screen."""

    enabled: bool = _field(
        default=True,
        description="Whether the pages are served, and the process that works for them is run.",
        scope="all",
    )
    host: str = _field(
        "127.0.0.1",
        "Address to listen at; 127.0.0.1: this machine only; 0.0.0.0 or ::: every network it is in.",
        scope="web",
        min_length=1,
        max_length=255,
    )
    port: int = _field(
        8443, "Port to listen at; 0: any free one, as told in run/web.json.", scope="web", ge=0, le=65535
    )
    names: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")], ...] = _field(
        (),
        "Names besides the machine's own under which the pages are reached; links use the first.",
        scope="web",
    )
    tls: Literal["self-signed", "files", "proxy"] = _field(
        "self-signed",
        "self-signed (a certificate made at the first start), files (your own), or proxy (plain HTTP, for a "
        "proxy that does TLS).",
        scope="web",
    )
    certificate: Path | None = _field(
        None, "For tls = 'files': the certificate with its chain, PEM.", scope="web"
    )
    private_key: Path | None = _field(None, "For tls = 'files': its private key, PEM.", scope="web")
    trusted_proxies: tuple[IPvAnyNetwork, ...] = _field(
        (),
        "For tls = 'proxy': addresses or networks of the proxies whose X-Forwarded-For is believed.",
        scope="web",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.tls == "files") != (self.certificate is not None and self.private_key is not None):
            raise ValueError("certificate and private_key are for tls = 'files', which needs both")
        if (self.tls == "proxy") != bool(self.trusted_proxies):
            raise ValueError("trusted_proxies is for tls = 'proxy', which needs one at least")
        return self


class ScreenSettings(_Room):
    """The office screen."""

    leaderboard: Literal["off", "greetings", "coffee"] = _field(
        "off",
        "off, or what is counted per day of those who agreed to the leaderboard, and shown to everybody in "
        "the office: greetings at the door, or coffee. Nobody else is counted.",
        scope="all",
    )
    leaderboard_days: int = _field(
        30, "Days that the leaderboard of greetings looks back, today included.", scope="desk", ge=1, le=366
    )
    leaderboard_periods: tuple[Literal["day", "week", "month", "all"], ...] = _field(
        ("day", "week", "month", "all"),
        "Which leaderboards of coffees are shown, one after the other: of the day, the week, the month, all.",
        scope="desk",
        min_length=1,
        max_length=4,
    )
    leaderboard_rows: int = _field(
        24,
        "Places on a leaderboard of coffees, page after page; of those behind it is told how many they are.",
        scope="desk",
        ge=3,
        le=96,
    )
    greeting_s: float = _field(12.0, "Seconds that a greeting stays.", scope="desk", ge=3, le=60)
    theme: Literal["daylight", "light", "dark"] = _field(
        "daylight", "daylight (light from 7 to 19 o'clock, dark at night), or always one.", scope="desk"
    )


class ModelSettings(_Room):
    """Where the networks' weights lie."""

    directory: Path | None = _field(
        None, "Folder of the installed models; empty: data/var/models of the checkout.", scope="all"
    )


class LogSettings(_Room):
    """Diagnostics on standard error; not the event log."""

    level: Literal["debug", "info", "warning", "error"] = _field("info", "Least severity shown.", scope="all")
    json_lines: bool = _field(default=False, description="One JSON object a line, for journals.", scope="all")


class Settings(_Room):
    """Everything the TOML may say."""

    site: Identifier = _field("office", "Name of the site, for several doors.", scope="all")
    cameras: tuple[CameraSettings, ...] = _field((), "The cameras of this box.")
    doors: tuple[DoorSettings, ...] = _field((), "The doors those cameras see.")
    faces: FaceSettings = _field(FaceSettings(), "Finding and judging faces.")
    recognition: RecognitionSettings = _field(RecognitionSettings(), "The decision.")
    encounters: EncounterSettings = _field(EncounterSettings(), "Encounters.")
    evidence: EvidenceSettings = _field(EvidenceSettings(), "Sealed captures.")
    captures: CapturesSettings = _field(
        CapturesSettings(), "Where sealed captures go besides.", scope="dispatch"
    )
    retention: RetentionSettings = _field(RetentionSettings(), "When the log and the counters go.")
    heads: HeadsSettings = _field(HeadsSettings(), "Signed heads of the log, kept outside of the database.")
    store: StoreSettings = _field(StoreSettings(), "The database.")
    vault: VaultSettings = _field(VaultSettings(), "The device key.")
    models: ModelSettings = _field(ModelSettings(), "Weights of the networks.", scope="all")
    processes: ProcessSettings = _field(ProcessSettings(), "Processes.")
    web: WebSettings = _field(WebSettings(), "The admin pages and the office screen.", scope="web")
    screen: ScreenSettings = _field(ScreenSettings(), "The office screen.", scope="desk")
    objects: tuple[ObjectsSettings, ...] = _field((), "Where things are looked for.")
    coffee: CoffeeSettings = _field(CoffeeSettings(), "Coffees counted.")
    audio: AudioSettings = _field(AudioSettings(), "Songs played.", scope="dispatch")
    deeplens: DeepLensSettings = _field(
        DeepLensSettings(), "Functions written for AWS DeepLens.", scope="functions"
    )
    video: VideoSettings = _field(VideoSettings(), "Clips of video.", scope="video")
    index: IndexSettings = _field(
        IndexSettings(), "What was seen, kept as moments that are searched.", scope="dispatch"
    )
    search: SearchSettings = _field(SearchSettings(), "Visual search.", scope="search")
    mqtt: MqttSettings = _field(MqttSettings(), "A broker that events are published to.", scope="dispatch")
    webhooks: tuple[WebhookSettings, ...] = _field(
        (), "Addresses that events are posted to.", scope="dispatch"
    )
    locks: tuple[LockSettings, ...] = _field((), "Locks that are opened for people.", scope="dispatch")
    actions: tuple[ActionSettings, ...] = _field((), "Actions on events.")
    log: LogSettings = _field(LogSettings(), "Diagnostics.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = {
            "cameras": [{"id": camera.id, "when": camera.when.value} for camera in self.cameras],
            "doors": [{"id": door.id, "camera": door.camera} for door in self.doors],
            "objects": [{"id": each.id, "camera": each.camera} for each in self.objects],
            "webhooks": [{"id": webhook.id} for webhook in self.webhooks],
            "locks": [
                lock.model_dump(include={"id", "door", "camera", "policy"}, exclude_none=True)
                for lock in self.locks
            ],
            "actions": [{"id": action.id} for action in self.actions],
            "coffee": {"cameras": list(self.coffee.cameras)},
            "search": {"cameras": list(self.search.cameras)},
            "video": {"kvs": {"enabled": self.video.kvs.enabled, "stream": self.video.kvs.stream}},
        }
        if found := "; ".join(relation.words for relation in relations(given)):
            raise ValueError(found)
        return self
