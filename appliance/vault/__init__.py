"""Keys and sealed values: what is personal rests encrypted, each person under a key of their own.

`device_key` says where the one key comes from that wraps all others; `sealing` is the format
(specified in `FORMAT.md`); `rekeying` changes the one key for another, and `holding` keeps it from doing
so beside a process that has the present one in memory; `vault` puts them together and signs the log's
chain. Nothing here knows of the database: the store is handed a vault and calls it through its own protocol.
Strangers' images are none of this room's business; they are sealed to the admins' public keys
by `appliance.evidence`, and nothing on this box can open them.
"""

from appliance.vault.device_key import (
    CredentialKey,
    KeyFile,
    KeySource,
    PassphraseKey,
    key_source,
    new_key_line,
    parse_key_line,
)
from appliance.vault.holding import held
from appliance.vault.rekeying import REKEY_FILE, KeyChange, Place
from appliance.vault.vault import Vault, verify_signature

__all__ = [
    "REKEY_FILE",
    "CredentialKey",
    "KeyChange",
    "KeyFile",
    "KeySource",
    "PassphraseKey",
    "Place",
    "Vault",
    "held",
    "key_source",
    "new_key_line",
    "parse_key_line",
    "verify_signature",
]
