"""Visual search: what is alike to what a camera shows or to a picture, and the catalogue it is looked up in.

`looking` is the page on the wall, with its stream; `catalogue` the items; `importing` many items at once;
`words` what is said of all of it. They show and ask; no picture is opened here.
"""

from flask import Blueprint

from web.search import catalogue, importing, looking

BLUEPRINTS: tuple[Blueprint, ...] = (looking.blueprint, catalogue.blueprint, importing.blueprint)
