"""The database: event log with its chain of hashes, outbox, people and gallery, operators, catalogue.

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
    Keypad,
    Operator,
    OperatorSession,
    OperatorState,
    Screen,
)
from appliance.store.api_tokens import TOKEN_SCOPES
from appliance.store.chain import GENESIS, SEGMENT, SignedHead
from appliance.store.checking import ChainReport
from appliance.store.coffees import KeptCoffee, VisitorStanding
from appliance.store.database import sqlite_url
from appliance.store.moment_question import MomentPlace
from appliance.store.moment_records import (
    Bar,
    By,
    Cursor,
    LabelCount,
    Moment,
    MomentClip,
    MomentsWanted,
    Seen,
)
from appliance.store.pins import KeptPin, PinTry
from appliance.store.records import (
    COFFEES,
    GREETINGS,
    IDENTIFY,
    LEADERBOARD,
    Consent,
    Counter,
    Delivery,
    Erased,
    Group,
    KeptConsent,
    KeptRule,
    Merged,
    NewEvent,
    NewReference,
    OutboxRow,
    OutboxState,
    Reference,
    RuleActivity,
    Song,
    Standing,
    StoredEvent,
    StoredGallery,
    Subject,
    SubjectState,
    Subscription,
    TemplateRow,
)
from appliance.store.sealing import Seal
from appliance.store.search_records import (
    CatalogueItem,
    FeaturePage,
    ItemEntry,
    ItemPicture,
    KeptFeaturizer,
    NewPicture,
    PutOutcome,
    SearchState,
)
from appliance.store.store import Store

__all__ = [
    "COFFEES",
    "GENESIS",
    "GREETINGS",
    "IDENTIFY",
    "LEADERBOARD",
    "SEGMENT",
    "TOKEN_SCOPES",
    "ApiToken",
    "Bar",
    "By",
    "CatalogueItem",
    "ChainReport",
    "CodePurpose",
    "Consent",
    "Counter",
    "Cursor",
    "Delivery",
    "Erased",
    "FeaturePage",
    "Group",
    "ItemEntry",
    "ItemPicture",
    "KeptCoffee",
    "KeptConsent",
    "KeptFeaturizer",
    "KeptPassword",
    "KeptPin",
    "KeptRule",
    "Keypad",
    "LabelCount",
    "Merged",
    "Moment",
    "MomentClip",
    "MomentPlace",
    "MomentsWanted",
    "NewEvent",
    "NewPicture",
    "NewReference",
    "Operator",
    "OperatorSession",
    "OperatorState",
    "OutboxRow",
    "OutboxState",
    "PinTry",
    "PutOutcome",
    "Reference",
    "RuleActivity",
    "Screen",
    "Seal",
    "SearchState",
    "Seen",
    "SignedHead",
    "Song",
    "Standing",
    "Store",
    "StoredEvent",
    "StoredGallery",
    "Subject",
    "SubjectState",
    "Subscription",
    "TemplateRow",
    "VisitorStanding",
    "sqlite_url",
]
