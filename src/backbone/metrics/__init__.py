"""Scores of a classifier, and how far they can be trusted.

All functions take NumPy arrays, PyTorch tensors or lists, and compute with NumPy. Labels come first, what a network
says about them second. A network's answers for N pictures and K classes are either ``predicted``, integers (N,), or
``scores``, real numbers (N, K) or (N,), of which larger means more likely.
"""

from backbone.metrics.calibration import Reliability, calibration_temperature, expected_calibration_error, reliability
from backbone.metrics.classes import accuracy, confusion_matrix, f1, precision, recall, top_k_accuracy
from backbone.metrics.curves import (
    PrecisionRecallCurve,
    ROCCurve,
    auc,
    average_precision,
    precision_at,
    precision_recall_curve,
    roc_curve,
)
from backbone.metrics.uncertainty import (
    Interval,
    McNemar,
    PairedDifference,
    bootstrap_interval,
    mcnemar,
    paired_bootstrap,
    wilson_interval,
)

__all__ = [
    "Interval",
    "McNemar",
    "PairedDifference",
    "PrecisionRecallCurve",
    "ROCCurve",
    "Reliability",
    "accuracy",
    "auc",
    "average_precision",
    "bootstrap_interval",
    "calibration_temperature",
    "confusion_matrix",
    "expected_calibration_error",
    "f1",
    "mcnemar",
    "paired_bootstrap",
    "precision",
    "precision_at",
    "precision_recall_curve",
    "recall",
    "reliability",
    "roc_curve",
    "top_k_accuracy",
    "wilson_interval",
]
