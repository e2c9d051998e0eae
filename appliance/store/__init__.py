"""The database: the event log with its chain of hashes, the outbox, people and gallery, the operators.

SQLite in a file, or PostgreSQL for several doors; the same tables, and one contract suite for both
(`tests/contracts/test_store_contract.py`). This room decides nothing, performs nothing and knows no
cipher: it is handed a `Seal`, a clock and ids, so that a replay writes the same log every time. (The
hash of an event covers a sealed part as it is stored; a replay that logs something personal is the
same only under a seal that is.)
"""

from appliance.store.account_records import (
    ApiToken,
    CodePurpose,
    KeptPassword,
    Operator,
    OperatorSession,
    OperatorState,
    Screen,
)
from appliance.store.api_tokens import TOKEN_SCOPES
from appliance.store.chain import GENESIS, SEGMENT, SignedHead
from appliance.store.checking import ChainReport
from appliance.store.database import sqlite_url
from appliance.store.records import (
    GREETINGS,
    IDENTIFY,
    LEADERBOARD,
    Consent,
    Counter,
    Delivery,
    Erased,
    KeptConsent,
    Merged,
    NewEvent,
    NewReference,
    OutboxRow,
    OutboxState,
    Reference,
    Standing,
    StoredEvent,
    StoredGallery,
    Subject,
    SubjectState,
    Subscription,
    TemplateRow,
)
from appliance.store.sealing import Seal
from appliance.store.store import Store

__all__ = [
    "GENESIS",
    "GREETINGS",
    "IDENTIFY",
    "LEADERBOARD",
    "SEGMENT",
    "TOKEN_SCOPES",
    "ApiToken",
    "ChainReport",
    "CodePurpose",
    "Consent",
    "Counter",
    "Delivery",
    "Erased",
    "KeptConsent",
    "KeptPassword",
    "Merged",
    "NewEvent",
    "NewReference",
    "Operator",
    "OperatorSession",
    "OperatorState",
    "OutboxRow",
    "OutboxState",
    "Reference",
    "Screen",
    "Seal",
    "SignedHead",
    "Standing",
    "Store",
    "StoredEvent",
    "StoredGallery",
    "Subject",
    "SubjectState",
    "Subscription",
    "TemplateRow",
    "sqlite_url",
]
