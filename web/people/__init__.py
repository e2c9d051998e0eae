"""People: who is enrolled, one person's profile, enrolling somebody, what the gallery risks.

Shows and asks; the desk judges, keeps and authorises. No picture is decoded or stored here.
"""

from web.people import changing, enrolling, pages
from web.people.site import blueprint

__all__ = ["blueprint", "changing", "enrolling", "pages"]
