"""Every deliberate error of the appliance, drawn as a tree.

    ApplianceError                   exit code 1
    ├── SettingsError            2   the TOML, an option, the environment
    ├── InputError               3   something handed to us from outside
    │   ├── PhotoError               a picture: truncated, too large, not a picture
    │   ├── SongError                a sound file: damaged, silent, of another kind
    │   ├── RecipientError           a public key we cannot seal to
    │   ├── IdentityError            a private key that cannot open
    │   ├── FeaturesError            features of a picture, as a message: not such numbers
    │   └── FormError                what somebody filled in, field by field
    ├── CameraError              4   a source of frames
    │   ├── CameraLostError          it was there; retrying makes sense
    │   └── CameraRefusedError       it can never work as configured
    ├── ModelError               5   weights: missing, wrong bytes, wrong shape
    ├── StoreError               6   the database
    │   ├── StoreVersionError        newer or older than this program
    │   ├── StoreFullError           the disk is full
    │   ├── ChainBrokenError         the log was edited, dropped or re-ordered
    │   ├── UnknownSubjectError      no such person
    │   ├── UnknownEventError        no such event, or none of the kind asked for
    │   ├── UnknownSongError         no such song in the library
    │   ├── UnknownRuleError         no such rule, or no such group of people
    │   ├── UnknownItemError         no such item or picture in the catalogue
    │   ├── UnknownDeliveryError     nothing of this number that may be tried again
    │   └── UnknownAccountError      no such operator, session, token or screen
    ├── VaultError               7   keys and sealed values
    ├── EvidenceError            8   the spool of sealed captures
    │   ├── UnknownCaptureError      no such capture, or no more
    │   └── RetrievalError           captures that could not be fetched from a box
    ├── WireError                9   messages between our processes
    │   ├── PeerRefusedError         another account, another version
    │   ├── PeerGoneError            nobody listens, or it stopped half-way
    │   └── UnknownProcessError      no such process is run
    ├── ActionError             10   an action that did not happen
    │   └── NoAudioError             nothing here plays sound
    ├── EnrolmentError          11   a person or reference that cannot be enrolled
    ├── AccessError             12   who may do what
    │   ├── NotSignedInError         nobody is recognised by what was presented
    │   ├── DeniedError              recognised, and not allowed
    │   └── ThrottledError           tried too often; later again
    ├── SinkError               13   a service that things are sent to
    ├── FunctionError           14   a hosted DeepLens function
    │   ├── PackageError             its folder, zip or file cannot be taken
    │   ├── ContainmentError         this system does not contain it, and nobody accepted that
    │   ├── NotGrantedError          it asked for a host that it was not granted
    │   └── UnknownFunctionError     no function of this name is deployed
    ├── SearchError             16   visual search: nothing that could be searched now
    └── VideoError              15   clips and streams of video
        ├── UnusableVideoError       what a camera or a file holds cannot be a clip's video
        ├── StreamError              Kinesis Video Streams does not take or give something
        ├── VideoFullError           no room on the disk, or it cannot be written
        └── UnknownClipError         no such clip, or no more

Naming rule: a class is named after what is wrong, not after who noticed. A message says
what is wrong, where, and, in `hint`, what to do next. Foreign exceptions are turned into
these once, at the boundary where they arise, with `from error`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal


class ApplianceError(Exception):
    """The root: everything we raise on purpose.

    Attributes:
        message: What is wrong and where, in words an admin understands.
        hint: What to do about it, for whoever reads it wherever; empty when there is nothing better to say.
        command: What to type about it, in words; a line for each of several ways. Said in the terminal alone:
            it crosses no socket, so no page shows it, and a hint names no command.
        exit_code: What a command that ends with this error returns to the shell.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", command: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.command = command

    @property
    def advice(self) -> str:
        """What to do about it, for a terminal: the hint and what to type."""
        return "; ".join(each for each in (self.hint, self.command) if each)


class SettingsError(ApplianceError):
    """A setting is missing, misspelt or out of range; the message carries file, line and key."""

    exit_code = 2


class InputError(ApplianceError):
    """Something that came from outside cannot be used."""

    exit_code = 3


class PhotoError(InputError):
    """A picture from outside is truncated, too large, or not a picture.

    Attributes:
        reason: Stable code: `not_a_picture`, `truncated`, `too_many_pixels`, `too_many_bytes`,
            `unsupported_format`, `unreadable`.
    """

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class SongError(InputError):
    """A sound file cannot be made into a song: damaged, silent, too long, of another kind."""


class RecipientError(InputError):
    """A public key cannot be sealed to (ecdsa, sk-, malformed)."""


class IdentityError(InputError):
    """A private key cannot open what it was given."""


class FeaturesError(InputError):
    """A message cannot be read as features of a picture.

    Attributes:
        reason: Stable code: `too_large`, `not_json`, `no_features`, `not_numbers`, `wrong_size`, `all_zero`.
    """

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class FormError(InputError):
    """What somebody filled in cannot be taken.

    Attributes:
        fields: Name of the field → what is wrong with it, in words.
    """

    def __init__(self, message: str, *, fields: Mapping[str, str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fields = dict(fields)


class CameraError(ApplianceError):
    """A source of frames has a fault; addresses in the message are redacted."""

    exit_code = 4


class CameraLostError(CameraError):
    """The source was there or may come; trying again makes sense."""


class CameraRefusedError(CameraError):
    """The source can never work as it is configured (no such scheme, not a video)."""


class ModelError(ApplianceError):
    """Weights are missing, have the wrong bytes, or do not have the expected shape."""

    exit_code = 5


class StoreError(ApplianceError):
    """The database cannot do what was asked."""

    exit_code = 6


class StoreVersionError(StoreError):
    """The database was written by another version of the schema."""


class StoreFullError(StoreError):
    """No space left for the database; nothing of the transaction was kept."""


class ChainBrokenError(StoreError):
    """The event log was edited, dropped from or re-ordered.

    Attributes:
        position: Position in the device's chain at which it stops to verify.
    """

    def __init__(self, message: str, *, position: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.position = position


class UnknownSubjectError(StoreError):
    """No subject with this id, or with this name, is enrolled."""


class UnknownEventError(StoreError):
    """No event with this id, or none of the kind that was asked for."""


class UnknownSongError(StoreError):
    """No such song in the library."""


class UnknownRuleError(StoreError):
    """No such rule, or no such group of people."""


class UnknownItemError(StoreError):
    """No such item in the catalogue, or no such picture of one."""


class UnknownDeliveryError(StoreError):
    """Nothing of this number among what failed for good, or nothing that may be tried again."""


class UnknownAccountError(StoreError):
    """No operator, session, token or screen with this id, or not one of theirs."""


class VaultError(ApplianceError):
    """A key is missing, or a sealed value does not open (wrong key, moved row, damage)."""

    exit_code = 7


EvidenceReason = Literal["no_recipient", "spool_full", "disk_full", "no_frame", "memory", "replay", "failed"]
"""Why nothing was stored; the `reason` of the event `capture_skipped`."""


class EvidenceError(ApplianceError):
    """The spool of sealed captures cannot take or give what was asked.

    Attributes:
        reason: Stable code of what stands in the way.
    """

    exit_code = 8

    def __init__(self, message: str, *, reason: EvidenceReason = "failed", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason: EvidenceReason = reason


class UnknownCaptureError(EvidenceError):
    """No capture with this id: it expired, was retracted, or was removed."""


RetrievalFault = Literal[
    "target",
    "no_client",
    "client",
    "unreachable",
    "refused",
    "host_key_unknown",
    "host_key_changed",
    "key_refused",
    "no_sftp",
    "no_index",
    "index_damaged",
    "disk_full",
    "busy",
    "cut",
    "damaged",
]
"""Why captures could not be fetched."""


class RetrievalError(EvidenceError):
    """Captures could not be fetched from a box, or not all of them.

    Attributes:
        fault: Stable code of what stands in the way.
    """

    def __init__(
        self, message: str, *, fault: RetrievalFault = "cut", hint: str = "", command: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.command = command
        self.fault: RetrievalFault = fault


class WireError(ApplianceError):
    """A message between our processes is malformed, too large or of an unknown type."""

    exit_code = 9


class PeerRefusedError(WireError):
    """The other end runs under another account, or speaks another version."""


class PeerGoneError(WireError):
    """Nobody listens at the socket, or the other end stopped in the middle."""


class UnknownProcessError(WireError):
    """No process of that name is run."""


class ActionError(ApplianceError):
    """An action did not happen.

    Attributes:
        permanent: Trying again cannot help (no such program), so the row goes to the dead letters.
        retry_after_s: Seconds that whoever it went to asked to be left alone; None: they asked for nothing.
        unknown: It was interrupted and may have happened after all; it must not be repeated.
    """

    exit_code = 10

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        hint: str = "",
        retry_after_s: float | None = None,
        unknown: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.unknown = unknown


class NoAudioError(ActionError):
    """There is no audio device, or it went away; an ordinary state of a box."""


class EnrolmentError(ApplianceError):
    """A person or reference cannot be enrolled: no consent, no usable face."""

    exit_code = 11


class AccessError(ApplianceError):
    """Somebody may not do what they asked for."""

    exit_code = 12


class NotSignedInError(AccessError):
    """Nobody is recognised by what was presented: nothing, a wrong password, an ended session."""


class DeniedError(AccessError):
    """Whoever asks is known, and not allowed."""


class ThrottledError(AccessError):
    """Tried too often.

    Attributes:
        wait_s: Seconds until another try is heard.
    """

    def __init__(self, message: str, *, wait_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.wait_s = wait_s


SinkReason = Literal[
    "unreachable",
    "busy",
    "server",
    "denied",
    "no_bucket",
    "no_credentials",
    "credentials",
    "clock",
    "mismatch",
    "occupied",
    "lock",
    "key",
    "not_sealed",
    "changed",
    "failed",
]
"""Why something could not be sent."""


class SinkError(ApplianceError):
    """A service that things are sent to did not take them, or cannot be asked.

    Attributes:
        reason: Stable code of what stands in the way.
    """

    exit_code = 13

    def __init__(
        self, message: str, *, reason: SinkReason = "failed", hint: str = "", command: str = ""
    ) -> None:
        super().__init__(message, hint=hint, command=command)
        self.reason: SinkReason = reason


class FunctionError(ApplianceError):
    """A hosted DeepLens function cannot be deployed, started or asked."""

    exit_code = 14


class PackageError(FunctionError):
    """A function's folder, zip or file cannot be taken: noise, too large, a path that leads out of it."""


class ContainmentError(FunctionError):
    """This system does not contain a function as it should, and nobody accepted what would be open."""


class NotGrantedError(FunctionError):
    """A function asked for a host that it was not granted, or that nobody may be led to by a name."""


class UnknownFunctionError(FunctionError):
    """No function of this name is deployed."""


class SearchError(ApplianceError):
    """Nothing can be searched now: the catalogue is being read, or its network is gone."""

    exit_code = 16


class VideoError(ApplianceError):
    """A clip or a stream of video cannot be made, read, played or sent."""

    exit_code = 15


class UnusableVideoError(VideoError):
    """What a camera sends or a file holds cannot become, or is not, a clip's video.

    Attributes:
        fault: Stable code of what is wrong, e.g. `no_parameters`, `damaged`.
    """

    def __init__(self, message: str, *, fault: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fault = fault


StreamReason = Literal[
    "unreachable",
    "certificate",
    "busy",
    "server",
    "denied",
    "no_stream",
    "not_active",
    "no_credentials",
    "credentials",
    "clock",
    "occupied",
    "endpoint",
    "retention",
    "key",
    "limit",
    "argument",
    "media",
    "fragment",
    "silent",
    "cut",
    "spool",
    "failed",
]
"""Why a stream of Kinesis Video Streams does not take or give something."""


class StreamError(VideoError):
    """Kinesis Video Streams did not take or give something, or cannot be asked.

    Attributes:
        reason: Stable code of what stands in the way.
    """

    def __init__(
        self, message: str, *, reason: StreamReason = "failed", hint: str = "", command: str = ""
    ) -> None:
        super().__init__(message, hint=hint, command=command)
        self.reason: StreamReason = reason


class VideoFullError(VideoError):
    """There is no room for video on the disk, or it cannot be written; what was written before stands."""


class UnknownClipError(VideoError):
    """No clip with this id: it expired, was deleted, or never was."""
