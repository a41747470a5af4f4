"""Looking into a network while it runs: activations, gradients, and what a score depends on.

Nothing here changes a model. Hooks and the evaluation mode last as long as the ``with`` block, or the call.
"""

from backbone.probes.attribution import grad_cam, occlusion
from backbone.probes.patches import TopPatches, receptive_fields, top_patches
from backbone.probes.probe import Probe

__all__ = [
    "Probe",
    "TopPatches",
    "grad_cam",
    "occlusion",
    "receptive_fields",
    "top_patches",
]
