"""Coffees: whose cup it is, the countdown, and who is counted how often.

Pure: no clock, no camera, no database. Faces and cups of one frame come in with its time, and coffees come
out. `reach` says where a person's cup can be, `owners` gives each to one person or to nobody, `cups` follows
them and knows who moved each and which only stand there, `corner` counts down, and `turns` has the rule that
nobody counts twice in five minutes.
"""

from appliance.coffee.corner import Corner, Drinker, Shown, Taken
from appliance.coffee.cups import Cups, FollowedCup
from appliance.coffee.owners import owner
from appliance.coffee.reach import reach
from appliance.coffee.turns import Turns

__all__ = [
    "Corner",
    "Cups",
    "Drinker",
    "FollowedCup",
    "Shown",
    "Taken",
    "Turns",
    "owner",
    "reach",
]
