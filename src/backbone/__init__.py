"""The code behind *Backbone*, an interactive textbook on convolutional networks.

The modules form floors, and each imports only from floors below it:

4. ``widgets``: what a reader can move; takes arrays, never models
3. ``plots``, ``exercises``: figures from arrays; checks of a reader's own answer
2. ``training``, ``gradients``, ``probes``, ``pretrained``: fitting a network, following gradients back through a deep
   one, looking into one, loading a trained one
1. ``ops``, ``layers``, ``data``, ``models``, ``metrics``: what stands on NumPy and PyTorch alone

``glue`` sits beside them: chapters use it to carry a computed number into their prose.
"""
