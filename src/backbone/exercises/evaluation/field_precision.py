"""Exercise ``field_precision``: the precision where positives are rarer than in the test."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "half": "half of all pictures",
    "tenth": "one in ten",
    "hundredth": "one in a hundred",
    "fewer alarms": "one in a hundred, fewer alarms",
    "no alarm": "no false alarm",
    "common": "nine in ten",
}

MESSAGES = {
    "ignored": (
        "Your precision does not depend on how many positives there are. It is not a property of the network "
        "alone: false alarms come from all the negatives. Try 0.9, 0.1 and 0.01: of 10,000 pictures 100 are "
        "positive, 90 are found, and 990 others are called too."
    ),
    "one minus": (
        "You treat 1 - false_positive_rate as the precision. That rate is a share of the negatives, precision "
        "speaks of those that were called. Try 0.9, 0.1 and 0.01: 90 of 1,080 called are positive."
    ),
    "negatives forgotten": (
        "The false alarms are a share of the negatives only. Multiply that rate by 1 - prevalence. "
        "Try 0.9, 0.1 and 0.5: the precision is 0.9."
    ),
    "not divided": (
        "You return the share of all pictures that are positive *and* found. Precision divides that by the share "
        "that is called at all. Try 0.9, 0.1 and 0.5: the precision is 0.9."
    ),
}


def field_precision(recall: float, false_positive_rate: float, prevalence: float) -> float:
    """Return the share of positives among the pictures that are called positive."""
    right, wrong = recall * prevalence, false_positive_rate * (1 - prevalence)
    return right / (right + wrong)


def check_field_precision(reader_function: Callable) -> Report:
    """Check the reader's ``field_precision(recall, false_positive_rate, prevalence)``."""
    return check(EXERCISE, reader_function)


_WRONG = (
    ("ignored", lambda r, f, p: r / (r + f)),
    ("ignored", lambda r, f, p: r),
    ("one minus", lambda r, f, p: 1 - f),
    ("negatives forgotten", lambda r, f, p: r * p / (r * p + f)),
    ("not divided", lambda r, f, p: r * p),
)

_ARGUMENTS = {
    "half": (0.9, 0.1, 0.5),
    "tenth": (0.9, 0.1, 0.1),
    "hundredth": (0.9, 0.1, 0.01),
    "fewer alarms": (0.6, 0.001, 0.01),
    "no alarm": (0.4, 0.0, 0.02),
    "common": (0.7, 0.4, 0.9),
}
EXERCISE = Exercise(
    title="field_precision",
    reference=field_precision,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
