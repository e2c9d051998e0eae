"""The blueprint that the pages about rules share."""

from flask import Blueprint

blueprint = Blueprint("rules", __name__)
