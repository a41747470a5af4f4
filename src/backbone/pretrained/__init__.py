"""Networks that are already trained, and photographs as they want to see them."""

from backbone.pretrained.official import OFFICIAL
from backbone.pretrained.page import NOTICE, Packed, pack, rounded
from backbone.pretrained.pictures import normalize, prepare
from backbone.pretrained.shipped import EFFICIENTNET, SHIPPED, Card, card, load
from backbone.pretrained.taught import Taught, read_taught, unit_features

__all__ = [
    "EFFICIENTNET",
    "NOTICE",
    "OFFICIAL",
    "SHIPPED",
    "Card",
    "Packed",
    "Taught",
    "card",
    "load",
    "normalize",
    "pack",
    "prepare",
    "read_taught",
    "rounded",
    "unit_features",
]
