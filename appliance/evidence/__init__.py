"""Evidence: images of strangers, sealed to the admins' public keys as soon as they are stored.

`recipients` reads public keys, `capture` packs, seals and opens, `spool` keeps sealed files
until they expire, `identity` reads private keys where captures are opened, which is never
the box. No picture is decoded or encoded here (that is handed in), and no event written.
"""

from appliance.evidence.capture import (
    CapturedPicture,
    EncodeJpeg,
    open_capture,
    pack_capture,
    save_opened,
    seal,
)
from appliance.evidence.expiry import RemovedCapture
from appliance.evidence.identity import (
    AskPassphrase,
    Identity,
    load_identities,
    make_identity,
    parse_identities,
)
from appliance.evidence.recipients import Recipient, RecipientKind, parse_recipient, parse_recipients
from appliance.evidence.spool import FreeBytes, SealedCapture, Spool, free_bytes
from appliance.evidence.spool_folder import SpoolEntry

__all__ = [
    "AskPassphrase",
    "CapturedPicture",
    "EncodeJpeg",
    "FreeBytes",
    "Identity",
    "Recipient",
    "RecipientKind",
    "RemovedCapture",
    "SealedCapture",
    "Spool",
    "SpoolEntry",
    "free_bytes",
    "load_identities",
    "make_identity",
    "open_capture",
    "pack_capture",
    "parse_identities",
    "parse_recipient",
    "parse_recipients",
    "save_opened",
    "seal",
]
