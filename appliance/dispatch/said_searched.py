"""In words: what became of the catalogue of visual search."""

from appliance.dispatch.said import Call, said
from appliance.events import ItemChanged, ItemsImported, SearchChanged

_ITEM = {
    "item_added": "was added to the catalogue",
    "item_changed": "was changed in the catalogue",
    "item_removed": "was removed from the catalogue",
}


@said.register
def _(event: ItemChanged, _call: Call) -> str:
    return f"item {event.item} {_ITEM[event.type]}"


@said.register
def _(event: ItemsImported, _call: Call) -> str:
    if event.type == "items_import_begun":
        return f"an import of {event.rows} items began"
    return (
        f"items imported: {event.added} new, {event.changed} changed, {event.same} there already, "
        f"{event.refused} refused"
    )


@said.register
def _(event: SearchChanged, _call: Call) -> str:
    if event.type == "search_calibrated":
        if event.threshold is None:
            return "the search's threshold is the default again: too few items to calibrate on"
        return f"the search's threshold was calibrated to {event.threshold:.2f}"
    return f"process search compares the catalogue's {event.pictures} pictures by {event.featurizer} now"
