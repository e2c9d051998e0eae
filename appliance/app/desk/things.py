"""What rules, groups of people and songs are called in the log's sentences; looked up when first asked."""

from appliance.app.desk.rules import read
from appliance.permissions import Caller, Permission
from appliance.store import Store


class Things:
    """What rules, groups of people and songs are called, for those who may see rules."""

    def __init__(self, store: Store, caller: Caller) -> None:
        self._store = store
        self._told = caller.may(Permission.RULES)
        self._names: dict[str, str] | None = None

    def name(self, thing: str) -> str | None:
        """By its id; None: it is gone, or not told."""
        if not self._told:
            return None
        if self._names is None:
            rules = {each.id: rule.name for each in self._store.rules() if (rule := read(each)) is not None}
            groups = {each.id: each.label for each in self._store.groups()}
            self._names = {**rules, **groups, **self._store.song_titles()}
        return self._names.get(thing)
