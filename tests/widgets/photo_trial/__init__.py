"""The smallest figure with the picker of photographs: it shows what a network would see."""

from types import SimpleNamespace

from backbone.data import PHOTOS, photo
from backbone.widgets.engine import SIDE, NetworkWidget, jpeg

NAMES = ["chelsea", "astronaut", "coffee", "rocket", "camera"]
FILES = {name: jpeg(photo(name, SIDE, gray=False)) for name in NAMES}


class PhotoTrial(NetworkWidget):
    """Remembers in the page, as ``picks``, what was picked."""

    def __init__(self, names=NAMES, **traits):
        packed = SimpleNamespace(checksum=1, layers=[], data=b"", classes=[f"class {i}" for i in range(1000)])
        alts = {name: PHOTOS[name].alt for name in names}
        super().__init__(packed, {name: FILES[name] for name in names}, alts, **traits)
