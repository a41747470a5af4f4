"""Networks that are already trained, and photographs as they want to see them."""

from backbone.pretrained.official import OFFICIAL
from backbone.pretrained.pictures import normalize, prepare
from backbone.pretrained.shipped import EFFICIENTNET, SHIPPED, Card, card, load

__all__ = ["EFFICIENTNET", "OFFICIAL", "SHIPPED", "Card", "card", "load", "normalize", "prepare"]
