"""Exercise ``random_crop_flip``: every picture draws its own shift and its own mirror image."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check, disagreeing, drawn, repeating

COPIES = "share of results that are no shifted or mirrored copy"
PLACES = "of 5 shifts by rows and 5 by columns, how many never occur"
MIRRORED = "mirrored: 0 never, 1 about half, 2 always, 3 all or none of a batch, 4 another share"
DISAGREE = "calls with equal generators that disagree"
REPEATED = "calls in a row, with one generator, that gave the same"

MESSAGES = {
    "one for all": (
        "All pictures of the batch were shifted and mirrored alike: the numbers were drawn once. Draw as many as there "
        "are pictures, size=len(x), or draw inside a loop over them."
    ),
    "one mirror": (
        "All pictures of the batch were mirrored, or none. The shifts differ, as they should. Draw a number for each "
        "picture: generator.random(len(x)) < 0.5."
    ),
    "global": (
        "The numbers did not come from generator: calls with equal generators disagree. np.random.randint and "
        "random.random have a state of their own; use generator.integers and generator.random."
    ),
    "seeded inside": (
        "Each call gave the same again. A generator made inside the function starts from its seed every time, so every "
        "epoch sees the same shifts. Use the generator that is passed in."
    ),
    "rolled": (
        "What left the picture on one side came in again on the other. That is np.roll. Pad with two rows and columns "
        "of zeros on each side, then cut out the old size."
    ),
    "never mirrored": "No picture was mirrored. Mirror each with probability one half: picture[:, :, ::-1].",
    "always mirrored": "Every picture was mirrored. Half of them should be: generator.random() < 0.5.",
    "upside down": "Pictures were turned upside down. Left and right change places along the last axis: [:, :, ::-1].",
    "right end": (
        "Some shifts never occur. The upper end of generator.integers is left out: of five places, 0 to 4, draw with "
        "generator.integers(0, 5)."
    ),
}


def random_crop_flip(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Do right what the reader is asked to write: pad by 2, cut at a random place, mirror every other one."""
    return _changed(x, generator)


def check_random_crop_flip(reader_function: Callable) -> Report:
    """Check the reader's ``random_crop_flip(x, generator)`` by what it does to 250 equal pictures."""
    return check(EXERCISE, reader_function)


def _changed(x, generator, *, alike=False, mirror=0.5, same_mirror=False, axis=-1, places=5, roll=False):
    """Shift and mirror; each switch makes one mistake."""
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])
    out, height, width = np.empty_like(x), *x.shape[2:]
    draws = [(*generator.integers(0, places, 2), generator.random() < mirror) for _ in x]
    for i in range(len(x)):
        top, left, flip = draws[0] if alike else (*draws[i][:2], draws[0 if same_mirror else i][2])
        cut = padded[i, :, top : top + height, left : left + width]
        cut = np.roll(x[i], (2 - top, 2 - left), (1, 2)) if roll else cut
        out[i] = np.flip(cut, axis) if flip else cut
    return out


def _found(answer, x) -> list:
    """Return what happened to each picture, (row, column, mirrored), or None where it is no such copy."""
    padded, (height, width) = np.pad(x[0], [(0, 0), (2, 2), (2, 2)]), x.shape[2:]
    known = {}
    for i, j in np.ndindex(5, 5):
        cut = padded[:, i : i + height, j : j + width]
        known |= {cut.tobytes(): (i, j, False), cut[:, :, ::-1].tobytes(): (i, j, True)}
    return [known.get(one.astype(x.dtype).tobytes()) for one in answer]


def _strange(answers, x) -> float:
    found = _found(next(answers), x)
    return round(4 * found.count(None) / len(x)) / 4


def _missing(answers, x) -> int:
    found = [one for one in _found(next(answers), x) if one]
    return 10 - sum(len({one[axis] for one in found}) for axis in (0, 1))


def _mirrored(answers, x) -> int:
    """Return where the share of mirrored pictures stands, batch by batch: the code that MIRRORED explains."""
    shares = [
        np.mean([f[2] for f in found if f]) for found in (_found(a, x) for a in answers) if found.count(None) < 200
    ]
    if not shares or np.ptp(shares) > 0.9:
        return 3 if shares else 4
    return {0.0: 0, 1.0: 2}.get(round(np.mean(shares), 3), 1 if abs(np.mean(shares) - 0.5) < 0.1 else 4)


MEASURES = {
    COPIES: drawn(_strange),
    PLACES: drawn(_missing),
    MIRRORED: drawn(_mirrored),
    DISAGREE: disagreeing,
    REPEATED: repeating,
}
CASES = {key: f"250 times the same picture, {key}" for key in MEASURES}
_PICTURES = np.tile(np.arange(1.0, 49).reshape(1, 1, 6, 8), (250, 1, 1, 1))

_WRONG = (
    ("one for all", lambda x, g: _changed(x, g, alike=True)),
    ("one mirror", lambda x, g: _changed(x, g, same_mirror=True)),
    ("global", lambda x, g: _changed(x, np.random.default_rng())),
    ("seeded inside", lambda x, g: _changed(x, np.random.default_rng(0))),
    ("rolled", lambda x, g: _changed(x, g, roll=True)),
    ("never mirrored", lambda x, g: _changed(x, g, mirror=-1)),
    ("always mirrored", lambda x, g: _changed(x, g, mirror=2)),
    ("upside down", lambda x, g: _changed(x, g, axis=-2)),
    ("right end", lambda x, g: _changed(x, g, places=4)),
)

EXERCISE = Exercise(
    title="random_crop_flip",
    reference=random_crop_flip,
    cases=tuple(Case(CASES[key], (_PICTURES,), measure) for key, measure in MEASURES.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
