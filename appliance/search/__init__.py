"""Visual search: pictures to features, features to the items most alike, and when that is none.

Pure: no database, no socket, no clock. The catalogue is the store's; who asks and who is told is the
    processes'.
`README.md` of this room has the figures.
"""

from appliance.search.features_message import SIZES, features_message, read_features_message
from appliance.search.featurizer import EFFICIENTNET_LITE0, FeatureNetwork, Featurizer, featurizer_id
from appliance.search.held_still import HeldStill, StillRules
from appliance.search.index import ItemIndex, Match
from appliance.search.newest_matches import NewestMatches
from appliance.search.sketch import sketch
from appliance.search.threshold import Threshold, calibrate, spread
from appliance.search.variations import varied
from appliance.search.views import VIEWS, View, largest_of, seen, view_box

__all__ = [
    "EFFICIENTNET_LITE0",
    "SIZES",
    "VIEWS",
    "FeatureNetwork",
    "Featurizer",
    "HeldStill",
    "ItemIndex",
    "Match",
    "NewestMatches",
    "StillRules",
    "Threshold",
    "View",
    "calibrate",
    "features_message",
    "featurizer_id",
    "largest_of",
    "read_features_message",
    "seen",
    "sketch",
    "spread",
    "varied",
    "view_box",
]
