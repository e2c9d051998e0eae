"""1:N identification: how alike a probe is to every enrolled subject.

Pure numpy: no I/O, no clock, and no threshold. This room says how alike; `appliance.decision`
says what to do about it. Keeping the threshold out is what lets error rates be measured
from logged scores.
"""

from appliance.matching.gallery import Gallery, Reference

__all__ = ["Gallery", "Reference"]
