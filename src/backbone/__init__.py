"""The code behind *Backbone*, an interactive textbook on convolutional networks.

The modules form floors, and each imports only from floors below it. CONTRIBUTING.md has the table, to which a test
holds the imports.
"""
