"""The signature of a request: what was sent, by whom and when, so that nobody else can and no old one counts.

HMAC-SHA256 under the webhook's secret over `timestamp.body`, in hexadecimal, with the version of the form in
front: `v1=…`. WEBHOOKS.md shows receivers how to look at it. Pure.
"""

import hashlib
import hmac
from typing import Final

TIMESTAMP: Final = "X-Appliance-Timestamp"
SIGNATURE: Final = "X-Appliance-Signature"
IDEMPOTENCY_KEY: Final = "X-Appliance-Idempotency-Key"
EVENT: Final = "X-Appliance-Event"


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """The signature of a body at a moment.

    Args:
        secret: Of the webhook.
        timestamp: Seconds since 1970.
        body: Exactly as it is sent.
    """
    signed = hmac.new(secret, str(timestamp).encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"
