"""The store: log, outbox, people, operators, moments and catalogue over one database, for one device."""

from appliance.store.catalogue import Catalogue
from appliance.store.catalogue_features import CatalogueFeatures
from appliance.store.coffees import Coffees
from appliance.store.counters import Counters
from appliance.store.exported import Exporting
from appliance.store.history import History
from appliance.store.merging import Merging
from appliance.store.moments_found import MomentsFound
from appliance.store.moments_kept import MomentsKept
from appliance.store.outbox import Outbox
from appliance.store.pins import Pins
from appliance.store.pruning import Pruning
from appliance.store.recognising import Recognising
from appliance.store.remote_copies import RemoteCopies
from appliance.store.rewrapping import Rewrapping
from appliance.store.rules import Rules
from appliance.store.songs import Songs
from appliance.store.timeline import Timeline


class Store(
    History,
    Timeline,
    Merging,
    Recognising,
    Counters,
    Coffees,
    RemoteCopies,
    Rewrapping,
    Rules,
    Pins,
    Songs,
    Pruning,
    Exporting,
    MomentsKept,
    MomentsFound,
    Catalogue,
    CatalogueFeatures,
    Outbox,
):
    """Everything durable of a device.

    Made closed and doing nothing; `open` or `with` opens the database. One per process; safe to use
    from several threads. Any number of processes may have their own on the same database.
    """
