"""Moments: what was seen and when, as bars over time, busiest hours and lists; each leads to the recording.

`span` has the time that is looked at and the bars it is cut into, `charts` what stands in them, `pages` the
pages.
"""

from web.moments.pages import blueprint

__all__ = ["blueprint"]
