"""How a signed head of a log looks, wherever one is met: values only.

Signing one and finding out whether it holds is the store's business; keeping those that came along with
captures is the evidence room's. Neither imports the other.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class HeadFields(BaseModel):
    """The state of a device's chain at a moment, signed.

    Attributes:
        device: Whose chain.
        position: Of the newest event; 0 when there is none.
        hash: Of that event.
        at: When it was signed.
        public_key: Ed25519, hex.
        signature: Hex.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    device: str
    position: int = Field(ge=0)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    at: datetime
    public_key: str = Field(pattern=r"^[0-9a-f]{64}$")
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")
