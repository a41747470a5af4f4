"""Exercise ``training_flops``: what a whole training costs, from the multiply-adds of one picture."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "training_flops"

CASES = {
    "one": "one multiply-add, one picture, one pass",
    "pictures": "a hundred pictures, one pass",
    "passes": "one picture, ten passes",
    "lenet": "LeNet-5 on Fashion-MNIST",
    "alexnet": "AlexNet, 90 passes over ImageNet",
}

MESSAGES = {
    "forward only": (
        "The way back was forgotten. It makes two products of the size of the forward one: the gradient of the weights "
        "and that of the inputs. A training step costs three times the forward pass."
    ),
    "multiply-adds": (
        "These are multiply-adds. Each is a multiplication and an addition, so it counts as two floating-point "
        "operations."
    ),
    "neither": (
        "This counts the multiply-adds of the forward passes only. Two things are missing: a multiply-add is two "
        "operations, and the way back costs twice the forward pass."
    ),
    "way back once": (
        "Forward and backward do not cost the same. Back, a layer computes two products: the gradient of its weights "
        "and that of its inputs. So it is 1 + 2 forward passes, not 1 + 1 and not 2."
    ),
    "one pass": "Only one pass over the pictures was counted. Each of the epochs shows every picture once.",
    "pictures": "The pictures were not counted. The multiply-adds are those of one picture.",
}


def training_flops(macs: int, images: int, epochs: int) -> int:
    """Do right what the reader is asked to write: count floating-point operations.

    Args:
        macs: multiply-adds of the forward pass for one picture.
        images: pictures of the training set.
        epochs: passes over it.
    """
    return 2 * 3 * macs * images * epochs


def check_training_flops(reader_function: Callable) -> Report:
    """Check the reader's ``training_flops(macs, images, epochs)`` on hidden cases."""
    return check(EXERCISE, reader_function)


_ARGUMENTS = {
    "one": (1, 1, 1),
    "pictures": (1000, 100, 1),
    "passes": (1000, 1, 10),
    "lenet": (416_520, 60_000, 9),
    "alexnet": (714_188_480, 1_281_167, 90),
}

_WRONG = (
    ("forward only", lambda macs, images, epochs: 2 * macs * images * epochs),
    ("multiply-adds", lambda macs, images, epochs: 3 * macs * images * epochs),
    ("neither", lambda macs, images, epochs: macs * images * epochs),
    ("way back once", lambda macs, images, epochs: 4 * macs * images * epochs),
    ("one pass", lambda macs, images, epochs: 6 * macs * images),
    ("pictures", lambda macs, images, epochs: 6 * macs * epochs),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=training_flops,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
