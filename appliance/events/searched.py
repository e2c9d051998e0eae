"""What was changed of visual search: the catalogue, and by what it is searched. Look-ups are no events."""

from typing import Literal

from appliance.events.event import Event


class ItemChanged(Event):
    """An item came into the catalogue, is another now, or was removed with its pictures."""

    type: Literal["item_added", "item_changed", "item_removed"]
    item: str
    """Its id, which whoever added it chose."""


class ItemsImported(Event):
    """Many items were put into the catalogue at once: that began, or ended.

    One that began and never ended was interrupted; what it had put by then is there.
    """

    type: Literal["items_import_begun", "items_imported"]
    rows: int
    """So many items were named."""
    added: int = 0
    changed: int = 0
    same: int = 0
    """There already, just so."""
    refused: int = 0


class SearchChanged(Event):
    """The catalogue is searched by another network's features, or by another threshold."""

    type: Literal["search_featurizer_changed", "search_calibrated"]
    featurizer: str
    """Model, and the beginning of a hash of its file and of what the settings say of it."""
    pictures: int
    """That are searched in."""
    threshold: float | None = None
    """From which similarity on something counts as found; None: not calibrated, or no longer."""
