"""Checking a chain: every link, both ends, what was signed, and what retention says it dropped.

Pure: rows in, a report or a broken position out. Reading rows, of a database or a file, is for others.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import ChainBrokenError, StoreError
from appliance.store.chain import GENESIS, PRUNED, SEGMENT, SignedHead, Verify, link_hash, sha256

_EXPORTED = "head that was exported"
_KEPT = "head kept beside the database"
UNREADABLE = "what stands there is nothing that the appliance writes"
_COMPARE = "keep a copy of the database as it is, and compare with exported heads and backups"
_SET_BACK = (
    "if you restored the database from a backup yourself, that is why: remove log.head; "
    "otherwise keep a copy of everything as it is"
)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """A chain that holds.

    Attributes:
        device: Whose.
        first: Position of the oldest event kept; 0 when there is none.
        last: Position of the newest.
        head: Hash of the newest, or genesis.
        checkpoints: Signatures checked.
        signed_up_to: Position of the newest checkpoint; what comes later is only as good as the
            exported head it is checked against.
        dropped: Events whose body retention dropped.
        pruned_by: Position of the event that says that retention dropped what was before `first`; 0: it
            dropped nothing.
        checked_against: Position of the exported head that was found in the chain; None when none
            was given, or when it is older than what is kept.
        kept_head: Likewise of the head that is kept in a file beside the database.
        heads: How many heads of a file of them were found in the chain.
        heads_before: How many of them are of events that retention dropped, and vouch for nothing here.
    """

    device: str
    first: int
    last: int
    head: str
    checkpoints: int
    signed_up_to: int
    dropped: int
    checked_against: int | None
    kept_head: int | None = None
    pruned_by: int = 0
    heads: int = 0
    heads_before: int = 0


@dataclass(slots=True)
class ChainCheck:
    """Walks one device's chain from its oldest kept event to its head.

    Attributes:
        device: Whose chain.
        checkpoints: Its checkpoints by position.
        verify: Checks a signature; None: nobody here can, and signatures are not looked at.
        trusted_key: Whose signatures count, hex; None: any one key, the same throughout.
        against: A head that was exported before.
        kept: The head in the file beside the database.
        heads: Heads that were exported one after the other, in that order.
        without_sealed: The rows come from an export, which leaves out what is sealed.
    """

    device: str
    checkpoints: Mapping[int, SignedHead]
    verify: Verify | None
    trusted_key: str | None
    against: SignedHead | None
    kept: SignedHead | None = None
    heads: Sequence[SignedHead] = ()
    without_sealed: bool = False
    _dropped: int = field(default=0, init=False)
    _pruned: tuple[int, int] = field(default=(0, 0), init=False)
    """The newest event that says so: up to where the log was pruned, and its own position."""
    _found: set[str] = field(default_factory=set, init=False)
    _heads_found: set[int] = field(default_factory=set, init=False)
    _heads_at: dict[int, SignedHead] = field(default_factory=dict, init=False)

    def run(self, rows: Iterable[Mapping[Any, Any]], *, head_position: int, head_hash: str) -> ChainReport:
        """Check every row, every checkpoint and the head.

        Args:
            rows: The events in order of position, columns by name.
            head_position: What the device's row says the newest event is.
            head_hash: And its hash.

        Raises:
            ChainBrokenError: With the position at which it stops to verify.
            StoreError: The exported head is of another device, or cannot be checked here.
        """
        if type(head_position) is not int:
            raise broken(0, "the device's row names no event")
        self._check_signatures()
        self._check_heads()
        first, position, previous = 0, 0, GENESIS
        for row in rows:
            if not first:
                first = row["position"]
                position, previous = first - 1, self._anchor(first)
            if row["position"] != position + 1:
                raise broken(position + 1, "an event is missing")
            try:
                self._check_link(row, previous)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raise broken(position + 1) from error
            position, previous = row["position"], row["hash"]
            self._check_known(position, previous)
            if row["type"] == PRUNED:
                self._note_pruning(row)
        if position < head_position:
            raise broken(position + 1 if first else head_position, "the newest events are missing")
        if (position, previous) != (head_position, head_hash):
            raise broken(position, "the log does not end where the device's row says")
        self._check_start(first)
        self._check_end(first, position)
        return ChainReport(
            device=self.device,
            first=first,
            last=position,
            head=previous,
            checkpoints=len(self.checkpoints) if self.verify else 0,
            signed_up_to=max(self.checkpoints, default=0),
            dropped=self._dropped,
            checked_against=self._position_found(_EXPORTED, self.against),
            kept_head=self._position_found(_KEPT, self.kept),
            pruned_by=self._pruned[1],
            heads=sum(head.position in self._heads_found for head in self.heads),
            heads_before=sum(head.position not in self._heads_found for head in self.heads),
        )

    def _known(self) -> list[tuple[str, SignedHead]]:
        """Heads from outside the database, and what they are called."""
        named = ((_EXPORTED, self.against), (_KEPT, self.kept))
        return [(name, head) for name, head in named if head is not None]

    def _position_found(self, name: str, head: SignedHead | None) -> int | None:
        return head.position if head is not None and name in self._found else None

    def _check_heads(self) -> None:
        """Heads that follow each other grow: what goes back, or is said twice, is of another history."""
        before = 0
        for head in self.heads:
            if head.device != self.device:
                raise StoreError(
                    f"a head in the file is of device {head.device!r}, not {self.device!r}",
                    hint="give the heads of one device alone",
                )
            known = self._heads_at.setdefault(head.position, head)
            if known.hash != head.hash:
                raise broken(head.position, "two different histories were signed up to here")
            if head.position < before:
                raise broken(
                    head.position, f"the log was set back: a head of event {before} was signed before it"
                )
            before = head.position
        if self.heads and self.verify is None:
            raise StoreError("signatures cannot be checked here", hint="hand over a verifier")

    def _check_signatures(self) -> None:
        if self.against is not None:
            if self.against.device != self.device:
                raise StoreError(
                    f"the exported head is of device {self.against.device!r}, not {self.device!r}",
                    hint="check the database of that device",
                )
            if self.verify is None:
                raise StoreError("signatures cannot be checked here", hint="hand over a verifier")
        if self.kept is not None and self.kept.device != self.device:
            raise StoreError(
                f"the head kept beside the database is of device {self.kept.device!r}, not {self.device!r}",
                hint="restore the files of the state directory from one backup",
            )
        if self.verify is None:
            return
        trusted = self.trusted_key or (self.against.public_key if self.against else None)
        heads = [*self.checkpoints.values(), *(head for _, head in self._known()), *self.heads]
        for head in heads:
            trusted = trusted or head.public_key
            if head.public_key != trusted:
                raise broken(head.position, "a head is signed with another key than this device's")
            if not head.holds(self.verify):
                raise broken(head.position, "the signature of a head does not hold")

    def _anchor(self, first: int) -> str:
        """The hash before the oldest kept event, which a checkpoint must vouch for.

        That it does is not enough for events to be missing: see `_check_start`.
        """
        if first == 1:
            return GENESIS
        checkpoint = self.checkpoints.get(first - 1)
        if checkpoint is None:
            raise broken(first - 1, "events are missing before it, and no checkpoint vouches for them")
        return checkpoint.hash

    def _note_pruning(self, row: Mapping[Any, Any]) -> None:
        """Remember up to where an event says that retention dropped the log.

        It is in the chain like any other, and so always newer than what it speaks of. That nobody without the
        key wrote it, its own checkpoint shows.
        """
        position = row["position"]
        up_to = json.loads(row["body"]).get("up_to") if row["body"] is not None else None
        if type(up_to) is not int or up_to % SEGMENT or not self._pruned[0] < up_to < position:
            raise broken(position, "it does not say up to where retention dropped the log")
        if position not in self.checkpoints:
            raise broken(position, "its checkpoint is missing")
        self._pruned = up_to, position

    def _check_start(self, first: int) -> None:
        """The log begins where its newest pruning ended, which is dropped and said in one transaction.

        Every segment has a checkpoint at its end, so that one could be cut away as tidily as retention does.
        """
        said = self._pruned[0]
        if first > said + 1:
            raise broken(said + 1, "events are missing that retention does not say it dropped")
        if 0 < first <= said:
            raise broken(first, "it is there, though the log says that retention dropped it")

    def _check_link(self, row: Mapping[Any, Any], previous: str) -> None:
        position = row["position"]
        if row["previous"] != previous:
            raise broken(position, "it does not follow the event before")
        body, sealed = row["body"], row["sealed_personal"]
        if body is None:
            if row["dropped_at"] is None:
                raise broken(position, "its body is missing, and retention did not drop it")
            self._dropped += 1
        elif sha256(body) != row["body_sha256"]:
            raise broken(position, "its body was changed")
        elif not _columns_fit(row, body):
            raise broken(position, "its columns say something else than its body")
        if sealed is not None:
            if sha256(sealed) != row["sealed_sha256"]:
                raise broken(position, "its sealed part was changed")
        elif row["sealed_sha256"] is not None and row["dropped_at"] is None and not self.without_sealed:
            raise broken(position, "its sealed part is missing, and retention did not drop it")
        found = link_hash(
            device=row["device"],
            position=position,
            event_id=row["id"],
            event_type=row["type"],
            version=row["version"],
            at=row["at"],
            boot=row["boot"],
            body_sha256=row["body_sha256"],
            sealed_sha256=row["sealed_sha256"],
            previous=previous,
        )
        if found != row["hash"]:
            raise broken(position, "its hash does not fit what it says")

    def _check_known(self, position: int, found: str) -> None:
        """Hold a link against what was signed about it."""
        checkpoint = self.checkpoints.get(position)
        if checkpoint is not None and checkpoint.hash != found:
            raise broken(position, "it differs from what its checkpoint was signed for")
        for name, head in self._known():
            if head.position == position:
                if head.hash != found:
                    raise broken(position, f"it differs from the {name}")
                self._found.add(name)
        self._compare_head(position, found)

    def _check_ends_of_heads(self, oldest: int, last: int) -> None:
        """Heads of what is missing at either end: at the old one a checkpoint may still know."""
        if max(self._heads_at, default=0) > last:
            raise broken(last + 1, f"events that the {_EXPORTED} was signed for are missing")
        for position, checkpoint in self.checkpoints.items():
            if position < oldest:
                self._compare_head(position, checkpoint.hash)
        if 0 in self._heads_at:
            self._compare_head(0, GENESIS)

    def _compare_head(self, position: int, found: str) -> None:
        head = self._heads_at.get(position)
        if head is not None:
            if head.hash != found:
                raise broken(position, f"it differs from the {_EXPORTED}")
            self._heads_found.add(position)

    def _check_end(self, first: int, last: int) -> None:
        if max(self.checkpoints, default=0) > last:
            raise broken(last + 1, "events that a checkpoint was signed for are missing")
        # Those of dropped segments too: they are all there is of them for heads exported then to fit.
        for due in range(SEGMENT, last + 1, SEGMENT):
            if due not in self.checkpoints:
                raise broken(due, "its checkpoint is missing")
        self._check_ends_of_heads(first, last)
        for name, head in self._known():
            if head.position > last:
                raise broken(
                    last + 1,
                    f"events that the {name} was signed for are missing",
                    hint=_SET_BACK if name == _KEPT else _COMPARE,
                )
            anchor = self.checkpoints.get(head.position)
            if anchor is not None and anchor.hash != head.hash:
                raise broken(anchor.position, f"its checkpoint differs from the {name}")
            if anchor is not None or head.position == 0:
                self._found.add(name)


LOOKED_UP_BY = ("type", "version", "subject", "encounter", "visit", "door")
"""Columns of an event that repeat what its body says."""


def _columns_fit(row: Mapping[Any, Any], body: str) -> bool:
    """The columns events are looked up by are not hashed themselves; the body is."""
    said = json.loads(body)
    return isinstance(said, dict) and all(row[name] == said.get(name) for name in LOOKED_UP_BY)


def broken(position: int, what: str = UNREADABLE, *, hint: str = _COMPARE) -> ChainBrokenError:
    """That the chain stops to verify there."""
    return ChainBrokenError(
        f"the log does not verify at position {position}: {what}", position=position, hint=hint
    )
