"""The weights of the networks: named in a manifest, checked byte by byte, converted at set-up.

This room downloads, verifies and converts. It does not run a network and does not know what
a face is; `appliance.faces` is handed the paths.
"""

from appliance.models.folder import Finding, ModelFolder, State
from appliance.models.install import CONVERTERS, Progress, install
from appliance.models.manifest import Manifest, Model

__all__ = ["CONVERTERS", "Finding", "Manifest", "Model", "ModelFolder", "Progress", "State", "install"]
