"""Exercise ``input_gradient``: send the gradient of a convolution back to its input."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check
from backbone.ops import conv2d

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "input_gradient"

CASES = {
    "flip": "one channel, one filter without symmetry",
    "swap": "as many filters as channels, windows of a single pixel",
    "stride": "stride 2, a filter that looks the same when turned",
    "channels in": "more channels than filters",
    "channels out": "more filters than channels",
    "all": "stride 3, everything different",
}

MESSAGES = {
    "not flipped": (
        "The kernels lie the wrong way round. They are turned by 180 degrees when they slide over the gradient. "
        "They are not turned when each entry of the gradient is spread over its window. Try a gradient that is a "
        "single 1: the kernel itself has to come out."
    ),
    "half flipped": (
        "The kernels are mirrored along one axis. A turn by 180 degrees reverses the rows and the columns: "
        "weight[:, :, ::-1, ::-1]."
    ),
    "all flipped": (
        "The filters and the channels were put in reverse order too. np.flip without an axis reverses every axis; "
        "only the rows and the columns of a kernel are turned: weight[:, :, ::-1, ::-1]."
    ),
    "not swapped": (
        "The channel axes were not swapped. On the way back the output's channels go in and the input's come out: "
        "add over o, and give one map for each c. weight.swapaxes(0, 1) has the shape for that."
    ),
    "no zeros": (
        "The stride was not used. Neighboring output pixels belong to windows that lie stride pixels apart: first "
        "put stride - 1 zeros between the entries of the gradient."
    ),
    "zeros at the end": (
        "The entries of the gradient stand side by side, with zeros only behind them. Neighbors belong to windows "
        "that lie stride pixels apart, so entry i stands at i * stride, with stride - 1 zeros in between."
    ),
    "zeros after the last": (
        "There are zeros after the last entry of the gradient as well, so the result is too large. They go between "
        "entries: n of them, spread out, take (n - 1) * stride + 1 pixels."
    ),
    "too many zeros": (
        "There is a zero too many between the entries of the gradient. They have to lie stride pixels apart, with "
        "stride - 1 zeros in between."
    ),
    "repeated": (
        "The entries of the gradient were repeated. Each belongs to one window and counts once: what lies between "
        "them is 0."
    ),
    "valid": (
        "The gradient was not padded: the result is too small. The corner pixel of the input lies in a single "
        "window, so a kernel has to reach over the border of the gradient. Pad by KH - 1 rows and KW - 1 columns "
        "of zeros on each side."
    ),
    "one padding": (
        "Rows and columns were padded alike, although the kernel is not square. Pad by KH - 1 rows above and below, "
        "and by KW - 1 columns left and right."
    ),
    "overwritten": (
        "Windows overlap, and where they do, only the last one was left. A pixel that lies in several windows gets "
        "a share from each: use += and not =."
    ),
    "same": (
        "The gradient was padded by half a kernel, which keeps its size. The input is larger than the output: pad "
        "by KH - 1 rows and KW - 1 columns of zeros on each side."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def input_gradient(grad: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """Do right what the reader is asked to write: the full convolution of the gradient, spread by the stride.

    ``out[c, i, j] = sum over o, u, v of weight[o, c, u, v] * grad[o, (i - u) / stride, (j - v) / stride]``,
    where both indices are whole and inside

    Args:
        grad: gradient of the loss by the output, shape (O, OH, OW).
        weight: filters of shape (O, C, KH, KW).
        stride: pixels from one window to the next.

    Returns:
        Gradient by the input, shape (C, (OH - 1) * stride + KH, (OW - 1) * stride + KW).
    """
    return _full(_spread(grad, stride), weight.swapaxes(0, 1)[:, :, ::-1, ::-1])


def check_input_gradient(reader_function: Callable) -> Report:
    """Check the reader's ``input_gradient(grad, weight, stride)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    draw = np.random.default_rng(9).normal
    turns = draw(size=(1, 1, 3, 3))
    turns += turns[:, :, ::-1, ::-1]
    return (
        # The first three tell one mistake each: the other mistakes change nothing there.
        Case(CASES["flip"], (draw(size=(1, 4, 5)), draw(size=(1, 1, 3, 3)), 1)),
        Case(CASES["swap"], (draw(size=(3, 3, 4)), draw(size=(3, 3, 1, 1)), 1)),
        Case(CASES["stride"], (draw(size=(1, 3, 4)), turns, 2)),
        Case(CASES["channels in"], (draw(size=(2, 4, 3)), draw(size=(2, 3, 3, 2)), 1)),
        Case(CASES["channels out"], (draw(size=(3, 4, 4)), draw(size=(3, 2, 2, 3)), 2)),
        Case(CASES["all"], (draw(size=(2, 2, 3)), draw(size=(2, 3, 3, 2)), 3)),
    )


def _spread(grad: np.ndarray, stride: int, tail: int = 0) -> np.ndarray:
    """Put stride - 1 zeros between the entries, and as many as ``tail`` after the last."""
    o, h, w = grad.shape
    out = np.zeros((o, (h - 1) * stride + 1 + tail, (w - 1) * stride + 1 + tail))
    out[:, : h * stride : stride, : w * stride : stride] = grad
    return out


def _full(maps: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Correlate at every place where a kernel and the maps meet in at least one pixel."""
    return conv2d(maps[None], weight, padding=(weight.shape[2] - 1, weight.shape[3] - 1))[0]


def _on_spread(spread: Callable) -> Callable:
    """Return the gradient with this instead of the right zeros."""

    def wrong(grad, weight, stride):
        return input_gradient(spread(grad, stride), weight, 1)

    return wrong


def _with_kernels(change: Callable) -> Callable:
    """Return the gradient with these instead of the swapped and turned kernels."""

    def wrong(grad, weight, stride):
        return _full(_spread(grad, stride), change(weight))

    return wrong


def _padded(padding: Callable) -> Callable:
    """Return the gradient with this padding, for an axis with k weights."""

    def wrong(grad, weight, stride):
        turned = weight.swapaxes(0, 1)[:, :, ::-1, ::-1]
        return conv2d(_spread(grad, stride)[None], turned, padding=tuple(padding(k) for k in weight.shape[2:]))[0]

    return wrong


def _not_swapped_in_loops(grad, weight, stride):
    """Leave the channels as they are in loops: an index runs out of grad, or there are too many maps."""
    o, c = weight.shape[:2]
    if c > o:
        raise IndexError
    return _full(_spread(grad[:c], stride), weight[:, :, ::-1, ::-1])


def _not_swapped_in_a_sum(grad, weight, stride):
    """Leave them as they are, and run out of the result instead."""
    if len(set(weight.shape[:2])) > 1:
        raise IndexError
    return _full(_spread(grad, stride), weight[:, :, ::-1, ::-1])


def _overwritten(grad, weight, stride):
    (_, oh, ow), (_, c, kh, kw) = grad.shape, weight.shape
    out = np.zeros((c, (oh - 1) * stride + kh, (ow - 1) * stride + kw))
    for i in range(oh):
        for j in range(ow):
            share = np.tensordot(grad[:, i, j], weight, axes=1)
            out[:, i * stride : i * stride + kh, j * stride : j * stride + kw] = share
    return out


def _one_padding(grad, weight, stride):
    turned = weight.swapaxes(0, 1)[:, :, ::-1, ::-1]
    return conv2d(_spread(grad, stride)[None], turned, padding=weight.shape[2] - 1)[0]


def _zeros_at_the_end(grad, stride):
    return np.pad(grad, [(0, 0), *((0, (n - 1) * (stride - 1)) for n in grad.shape[1:])])


def _repeated(grad, stride):
    return grad.repeat(stride, axis=1).repeat(stride, axis=2)


def _repeated_to_fit(grad, stride):
    return _repeated(grad, stride)[:, : (grad.shape[1] - 1) * stride + 1, : (grad.shape[2] - 1) * stride + 1]


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("not flipped", _with_kernels(lambda w: w.swapaxes(0, 1))),
    ("half flipped", _with_kernels(lambda w: w.swapaxes(0, 1)[:, :, ::-1])),
    ("half flipped", _with_kernels(lambda w: w.swapaxes(0, 1)[:, :, :, ::-1])),
    ("all flipped", _with_kernels(lambda w: w.swapaxes(0, 1)[::-1, ::-1, ::-1, ::-1])),
    ("not swapped", _with_kernels(lambda w: w[:, :, ::-1, ::-1])),
    ("not swapped", _not_swapped_in_loops),
    ("not swapped", _not_swapped_in_a_sum),
    ("no zeros", _on_spread(lambda grad, stride: grad)),
    ("zeros at the end", _on_spread(_zeros_at_the_end)),
    ("zeros after the last", _on_spread(lambda grad, stride: _spread(grad, stride, tail=stride - 1))),
    ("too many zeros", _on_spread(lambda grad, stride: _spread(grad, stride + 1 if stride > 1 else 1))),
    ("too many zeros", _on_spread(lambda grad, stride: _spread(grad, stride + 1))),
    ("repeated", _on_spread(_repeated)),
    ("repeated", _on_spread(_repeated_to_fit)),
    ("valid", _padded(lambda k: 0)),
    ("one padding", _one_padding),
    ("overwritten", _overwritten),
    ("same", _padded(lambda k: k // 2)),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=input_gradient,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
