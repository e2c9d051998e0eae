"""Sentences about the catalogue of visual search, and by what it is searched."""

from collections.abc import Mapping
from typing import Final

from appliance.app.desk.saying import Names, quoted, said
from appliance.events import ItemChanged, ItemsImported, SearchChanged

_ITEM: Final[Mapping[str, str]] = {
    "item_added": "was added to the catalogue",
    "item_changed": "was changed in the catalogue",
    "item_removed": "was removed from the catalogue, with its pictures",
}


@said.register
def _(event: ItemChanged, _: Names) -> str:
    return f"an item,{quoted(event.item)}, {_ITEM[event.type]}"


@said.register
def _(event: ItemsImported, _: Names) -> str:
    if event.type == "items_import_begun":
        return f"an import of {event.rows:,} items into the catalogue began"
    refused = f", {event.refused:,} could not be taken" if event.refused else ""
    return (
        f"items were imported into the catalogue: {event.added:,} new, {event.changed:,} changed, "
        f"{event.same:,} there already{refused}"
    )


@said.register
def _(event: SearchChanged, _: Names) -> str:
    if event.type == "search_calibrated":
        if event.threshold is None:
            return (
                "the catalogue has too few items to calibrate on; what counts as found is the default again"
            )
        least = f"what is found has at least {event.threshold:.2f}"
        return f"what counts as found in the catalogue was calibrated: {least}"
    network = quoted(event.featurizer.partition(":")[0])
    return f"the catalogue's {event.pictures:,} pictures are searched by{network} now"
