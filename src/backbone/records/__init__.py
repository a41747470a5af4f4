"""What was measured beforehand, because it takes longer than a page may: how it was measured, and its tables."""

from backbone.records.files import load, write

__all__ = ["load", "write"]
