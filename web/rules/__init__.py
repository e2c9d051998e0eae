"""Rules: which there are, one in its editor, what it would have done, and trying it on somebody.

Shows and asks; the desk judges what a rule may say, keeps it and has it done.
"""

from web.rules import editing, pages, rehearsing
from web.rules.site import blueprint

__all__ = ["blueprint", "editing", "pages", "rehearsing"]
