"""The exercises of the chapter on convolution, held against PyTorch and against functions as readers write them."""

import math

import numpy as np
import pytest
import torch
from readers import are_recognized, pass_the_check

from backbone.exercises.convolution import (
    conv2d_multi,
    conv_output,
    count_parameters,
    filter_image,
    input_gradient,
    receptive_field,
    shift_kernel,
    weight_gradient,
)
from backbone.ops import KERNELS

# --- Functions as readers write them: right -----------------------------------------------------------------


def loops(image, kernel, *, flip=False, swap=False, overwrite=False, early=False, short=0, out_like=None):
    """Filter with four loops; each switch makes one mistake."""
    (h, w), (kh, kw) = image.shape, kernel.shape
    shape = (h - kh + 1 - short, w - kw + 1 - short)
    out = np.zeros(shape) if out_like is None else np.zeros(shape, dtype=out_like(image))
    for i in range(shape[0]):
        for j in range(shape[1]):
            total = 0
            for u in range(kh):
                for v in range(kw):
                    weight = kernel[v, u] if swap else kernel[kh - 1 - u, kw - 1 - v] if flip else kernel[u, v]
                    product = image[i + u, j + v] * weight
                    total = product if overwrite else total + product
            out[i, j] = total
            if early:
                return out
    return out


def with_mistake(**switches):
    return lambda image, kernel: loops(image, kernel, **switches)


def padded(image, kernel):
    pad = kernel.shape[0] // 2, kernel.shape[1] // 2
    return loops(np.pad(image, ((pad[0], pad[0]), (pad[1], pad[1]))), kernel)


def conv_output_by_counting(size, kernel, stride, padding, dilation):
    reach = dilation * (kernel - 1)
    return len(range(0, size + 2 * padding - reach, stride))


def conv_output_by_torch(size, kernel, stride, padding, dilation):
    x, w = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
    return torch.nn.functional.conv1d(x, w, None, stride, padding, dilation).shape[-1]


def conv2d_by_torch(x, w):
    return torch.nn.functional.conv2d(torch.tensor(x).double(), torch.tensor(w).double())


def conv2d_in_loops(x, w, *, collect=lambda out, product: out + product, turn=False, filters=None, channels=None):
    (_, height, width), (o, c, kh, kw) = x.shape, w.shape
    out = np.zeros((o, height - kh + 1, width - kw + 1))
    for f, channel, i, j in np.ndindex(o, c if channels is None else channels, *out.shape[1:]):
        kernel = w[f, channel, ::-1, ::-1] if turn else w[f, channel]
        window = x[channel, i : i + kh, j : j + kw]
        out[f, i, j] = collect(out[f, i, j], (window * kernel).sum())
    return out


def count_with_torch(in_channels, out_channels, kernel_size, height, width):
    conv = torch.nn.Conv2d(in_channels, out_channels, kernel_size, padding="same")
    linear = torch.nn.Linear(in_channels * height * width, out_channels * height * width, device="meta")
    return tuple(sum(p.numel() for p in layer.parameters()) for layer in (conv, linear))


def field_by_torch(layers):
    """Measure from the first to the last input pixel that one output's gradient reaches."""
    exact = field_backwards(layers)
    x = torch.zeros(1, 1, exact + 20, requires_grad=True)
    out = x
    for kernel_size, stride in layers:
        out = torch.nn.functional.conv1d(out, torch.ones(1, 1, kernel_size), stride=stride)
    out[0, 0, 0].backward()
    reached = x.grad[0, 0].nonzero()
    return int(reached.max() - reached.min()) + 1


def field_backwards(layers, start=1):
    size = start
    for kernel_size, stride in reversed(layers):
        size = (size - 1) * stride + kernel_size
    return size


def gradients_by_torch(x, weight, grad, stride):
    x, weight, grad = (torch.tensor(array).double() for array in (x, weight, grad))
    x.requires_grad_(), weight.requires_grad_()
    return torch.autograd.grad(torch.nn.functional.conv2d(x, weight, stride=stride), (x, weight), grad)


def input_gradient_by_torch(grad, weight, stride):
    sizes = [(n - 1) * stride + k for n, k in zip(grad.shape[1:], weight.shape[2:], strict=True)]
    return gradients_by_torch(np.zeros((weight.shape[1], *sizes)), weight, grad, stride)[0]


def weight_gradient_by_torch(x, grad, stride):
    sizes = [n - (m - 1) * stride for n, m in zip(x.shape[1:], grad.shape[1:], strict=True)]
    return gradients_by_torch(x, np.zeros((len(grad), len(x), *sizes)), grad, stride)[1]


def scattered(grad, weight, stride, *, turn=False, step=None, swap=True, over=False):
    """Give each output's gradient back to its window; each switch makes one mistake."""
    (_, oh, ow), (o, c, kh, kw) = grad.shape, weight.shape
    step = stride if step is None else step
    out = np.zeros((c, (oh - 1) * stride + kh, (ow - 1) * stride + kw))
    for f, channel, i, j in np.ndindex(o, c, oh, ow):
        kernel = weight[f, channel, ::-1, ::-1] if turn else weight[f, channel]
        a, b = (f, channel) if swap else (channel, f)
        window = out[b, i * step : i * step + kh, j * step : j * step + kw]
        window[:] = grad[a, i, j] * kernel + (0 if over else window)
    return out


def collected(x, grad, stride, *, turn=False, step=None, mean=False, over=False):
    """Add up what each weight met; each switch makes one mistake."""
    (c, height, width), (o, oh, ow) = x.shape, grad.shape
    kh, kw = height - (oh - 1) * stride, width - (ow - 1) * stride
    step = stride if step is None else step
    out = np.zeros((o, c, kh, kw))
    for i, j in np.ndindex(oh, ow):
        window = x[:, i * step : i * step + kh, j * step : j * step + kw]
        share = grad[:, oh - 1 - i if turn else i, ow - 1 - j if turn else j, None, None, None] * window
        out = share if over else out + share
    return out / (oh * ow) if mean else out


test_right_functions_pass = pass_the_check(
    (filter_image, loops),
    (filter_image, lambda image, kernel: loops(image, kernel).astype(np.float32)),
    (filter_image, lambda image, kernel: torch.from_numpy(loops(image, kernel)).requires_grad_()),
    (filter_image, lambda image, kernel: np.asfortranarray(loops(image, kernel))),
    (conv_output, conv_output_by_counting),
    (conv_output, conv_output_by_torch),
    # Rounding up is right where the 1 at the end is counted in.
    (conv_output, lambda n, k, s, p, d: math.ceil((n + 2 * p - d * (k - 1)) / s)),
    (conv_output, lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1 + s) // s),
    (conv_output, lambda n, k, s, p, d: np.int64(conv_output_by_counting(n, k, s, p, d))),
    (shift_kernel, lambda rows, columns: np.roll(KERNELS["identity"], (-rows, -columns), (0, 1))),
    (shift_kernel, lambda rows, columns: np.eye(3, dtype=int)[[1 - rows]].T @ np.eye(3, dtype=int)[[1 - columns]]),
    (shift_kernel, lambda rows, columns: torch.eye(9)[4 - 3 * rows - columns].reshape(3, 3)),
    (conv2d_multi, conv2d_by_torch),
    (conv2d_multi, conv2d_in_loops),
    (count_parameters, count_with_torch),
    (count_parameters, lambda c, o, k, h, w: (o * c * k**2 + o, (c * h * w + 1) * o * h * w)),
    (count_parameters, lambda c, o, k, h, w: tuple(np.array([o * c * k**2 + o, (c * h * w + 1) * o * h * w]))),
    (receptive_field, field_backwards),
    (receptive_field, field_by_torch),
    (
        receptive_field,
        lambda layers: 1 + sum((k - 1) * np.prod([s for _, s in layers[:i]]) for i, (k, _) in enumerate(layers)),
    ),
    (input_gradient, input_gradient_by_torch),
    (input_gradient, scattered),
    (weight_gradient, weight_gradient_by_torch),
    (weight_gradient, collected),
)


@pytest.mark.parametrize("move", shift_kernel.cases, ids=lambda case: case.name)
def test_the_kernel_moves_a_picture(move):
    image = np.random.default_rng(0).random((6, 7))
    kernel = shift_kernel(*move.arguments)
    moved = torch.nn.functional.conv2d(torch.tensor(image[None, None]), torch.tensor(kernel[None, None]), padding=1)
    inside = (slice(1, -1), slice(1, -1))
    np.testing.assert_array_equal(moved[0, 0].numpy()[inside], np.roll(image, move.arguments, (0, 1))[inside])


def test_known_numbers():
    field, count = receptive_field, count_parameters
    assert field(*field.cases[-1].arguments) == 195  # AlexNet's last pooling
    assert field([(3, 2), (3, 1)]) == 7
    assert field([(3, 1), (3, 2)]) == 5
    assert count(3, 64, 3, 224, 224) == (1792, 150528 * 3211264 + 3211264)


# --- Functions as readers write them: wrong -----------------------------------------------------------------


def conv2d_by_channel(x, w):
    return np.array([[conv2d_in_loops(x[[c]], w[[o]][:, [c]])[0] for c in range(len(x))] for o in range(len(w))])


def growing(layers, *, less=1, late=False, product=True):
    size, distance = 1, 1
    for kernel_size, stride in layers:
        further = distance * stride if product else stride
        size += (kernel_size - less) * (further if late else distance)
        distance = further
    return size


def two_ones(rows, columns):
    kernel = np.zeros((3, 3))
    if rows:
        kernel[1 - rows, 1] = 1
    if columns:
        kernel[1, 1 - columns] = 1
    if not rows and not columns:
        kernel[1, 1] = 1
    return kernel


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (filter_image, "The kernel was turned by 180 degrees", with_mistake(flip=True)),
    (filter_image, "The rows and columns of the kernel", with_mistake(swap=True)),
    (filter_image, "The rows and columns of the kernel", lambda image, kernel: loops(image, kernel.T)),
    (filter_image, "The image was padded", padded),
    (filter_image, "The sum was divided", lambda image, kernel: loops(image, kernel) / kernel.size),
    (filter_image, "The products were not added up", with_mistake(overwrite=True)),
    (filter_image, "Only the first window", with_mistake(early=True)),
    (
        filter_image,
        "Only the first window",
        lambda image, kernel: float((image[: kernel.shape[0], : kernel.shape[1]] * kernel).sum()),
    ),
    (filter_image, "The rows and columns of the output", lambda image, kernel: loops(image, kernel).T),
    (filter_image, "The absolute value", lambda image, kernel: np.abs(loops(image, kernel))),
    (filter_image, "Values were clipped", lambda image, kernel: np.clip(loops(image, kernel), 0, 1)),
    (filter_image, "Values were clipped", lambda image, kernel: np.maximum(loops(image, kernel), 0)),
    (filter_image, "The results were turned into whole", with_mistake(out_like=lambda image: int)),
    (filter_image, "The results were turned into whole", lambda image, kernel: np.round(loops(image, kernel))),
    (filter_image, "The results were stored", with_mistake(out_like=lambda image: image.dtype)),
    (filter_image, "The last row and the last column", with_mistake(short=1)),
    (
        conv_output,
        "The division was rounded up",
        lambda n, k, s, p, d: math.ceil((n + 2 * p - d * (k - 1) - 1) / s + 1),
    ),
    (conv_output, "The division was rounded up", lambda n, k, s, p, d: np.ceil((n + 2 * p - d * (k - 1) - 1) / s + 1)),
    (
        conv_output,
        "The division was rounded to the nearest",
        lambda n, k, s, p, d: np.round((n + 2 * p - d * (k - 1) - 1) / s) + 1,
    ),
    (conv_output, "The division was not rounded", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) / s + 1),
    (conv_output, "The number is right, but", lambda n, k, s, p, d: np.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1),
    (conv_output, "The number is right, but", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1.0) // s + 1),
    (conv_output, "The dilation was not used: the window", lambda n, k, s, p, d: (n + 2 * p - k) // s + 1),
    (conv_output, "The dilation was not used: the window", lambda n, k, s, p, d: np.floor((n + 2 * p - k) / s) + 1),
    (conv_output, "The window was counted as dilation", lambda n, k, s, p, d: (n - d * k + 2 * p) // s + 1),
    (conv_output, "The padding was counted", lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1),
    (conv_output, "The padding was not used", lambda n, k, s, p, d: (n - d * (k - 1) - 1) // s + 1),
    (conv_output, "The 1 at the end is missing", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s),
    (conv_output, "The 1 at the end was added", lambda n, k, s, p, d: int((n + 2 * p - d * (k - 1) - 1 + 1) / s)),
    (conv_output, "The stride divides only a part", lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 // s + 1),
    (conv_output, "Every result is too", lambda *arguments: conv_output_by_counting(*arguments) + 1),
    (conv_output, "The window was counted one", lambda n, k, s, p, d: len(range(0, n + 2 * p - d * (k - 1) + 1, s))),
    (conv_output, "The stride was not used", lambda n, k, s, p, d: n + 2 * p - d * (k - 1)),
    (shift_kernel, "The picture moves the opposite", lambda r, c: np.roll(KERNELS["identity"], (r, c), (0, 1))),
    (shift_kernel, "The picture moves the opposite", lambda r, c: shift_kernel(r, c)[::-1, ::-1]),
    (shift_kernel, "Rows and columns were swapped", lambda r, c: shift_kernel(r, c).T),
    (
        shift_kernel,
        "Rows and columns were swapped, and the direction",
        lambda r, c: np.roll(KERNELS["identity"], (r, c), (1, 0)),
    ),
    (shift_kernel, "Left and right are as they", lambda r, c: shift_kernel(-r, c)),
    (shift_kernel, "Up and down are as they", lambda r, c: shift_kernel(r, -c)),
    (shift_kernel, "The kernel has more", two_ones),
    (conv2d_multi, "The channels were not added", conv2d_by_channel),
    (conv2d_multi, "Only the last channel", lambda x, w: conv2d_in_loops(x, w, collect=lambda out, product: product)),
    (conv2d_multi, "Only the first channel", lambda x, w: conv2d_in_loops(x, w, channels=1)),
    (conv2d_multi, "The kernels were turned", lambda x, w: conv2d_in_loops(x, w, turn=True)),
    (conv2d_multi, "The mean over the channels", lambda x, w: conv2d_in_loops(x, w) / w.shape[1]),
    (conv2d_multi, "The axes of the output", lambda x, w: np.moveaxis(conv2d_in_loops(x, w), 0, 2)),
    (count_parameters, "Biases are missing. A", lambda c, o, k, h, w: (c * o * k**2, c * o * (h * w) ** 2)),
    (count_parameters, "The window was counted", lambda c, o, k, h, w: (c * o * k + o, (c * h * w + 1) * o * h * w)),
    (
        count_parameters,
        "The weights of the convolution",
        lambda c, o, k, h, w: ((c * k**2 + 1) * o * h * w, (c * h * w + 1) * o * h * w),
    ),
    (count_parameters, "The channels of the input", lambda c, o, k, h, w: (o * k**2 + o, (c * h * w + 1) * o * h * w)),
    (
        count_parameters,
        "The fully connected layer was given one output",
        lambda c, o, k, h, w: (o * c * k**2 + o, (c * h * w + 1) * o),
    ),
    (receptive_field, "The windows were added", lambda layers: sum(np.array(layers)[:, 0])),
    (receptive_field, "The windows were added", lambda layers: growing(layers, less=0)),
    (receptive_field, "The windows were multiplied", lambda layers: np.prod(layers, axis=0)[0]),
    (receptive_field, "The stride of a layer", lambda layers: growing(layers, late=True)),
    (receptive_field, "Only the stride of the layer", lambda layers: growing(layers, product=False)),
    (receptive_field, "The layers were taken", lambda layers: growing(layers[::-1])),
    (input_gradient, "The kernels lie the wrong", lambda g, w, s: scattered(g, w, s, turn=True)),
    (input_gradient, "The channel axes were not swapped", lambda g, w, s: scattered(g, w, s, swap=False)),
    (input_gradient, "The entries of the gradient stand", lambda g, w, s: scattered(g, w, s, step=1)),
    (input_gradient, "The stride was not used", lambda g, w, s: scattered(g, w, 1)),
    (weight_gradient, "The gradient was turned", lambda x, g, s: collected(x, g, s, turn=True)),
    (weight_gradient, "The stride was not used", lambda x, g, s: collected(x, g, s, step=1)),
    (weight_gradient, "The mean over the positions", lambda x, g, s: collected(x, g, s, mean=True)),
    (weight_gradient, "Only the last window", lambda x, g, s: collected(x, g, s, over=True)),
)


def test_awkward_answers_are_described_in_the_words_of_the_exercise():
    def said(exercise, function):
        return str(exercise.check(function))

    assert "126.0 came out as a float; an int was expected." in said(
        conv_output, lambda *arguments: float(conv_output_by_counting(*arguments))
    )
    assert "[size = 128, kernel = 3, stride = 1, padding = 0, dilation = 1]: 7 came out; 126" in said(
        conv_output, lambda *arguments: 7
    )
    assert "a value of type list; a NumPy array of shape (3, 3) was expected." in said(
        shift_kernel, lambda rows, columns: [[0, 0, 0], [0, 1, 0]]
    )
    assert "a number; a tuple of 2 results was expected." in said(count_parameters, lambda *arguments: 10)
    assert "result 2 of 2: 271 came out; 272 was expected." in said(count_parameters, lambda *arguments: (10, 271))
    assert "[layers = [(3, 1), (3, 1)]]: 6 came out; 5 was expected." in said(
        receptive_field, lambda layers: sum(k for k, _ in layers)
    )


def test_each_mistake_of_the_input_gradient_has_a_case_of_its_own():
    exercise = input_gradient
    for index, opening in enumerate(
        ("The kernels lie the wrong way", "The channel axes were not", "The stride was not")
    ):
        wrong = next(function for message, function in exercise.mistakes if message.startswith(opening))
        failing = []
        for case in exercise.cases[:3]:
            answer, expected = wrong(*case.arguments), exercise(*case.arguments)
            if answer.shape != expected.shape or not np.allclose(answer, expected):
                failing.append(case)
        assert failing == [exercise.cases[index]]


def test_counts_are_compared_to_the_last_digit():
    def nearly(*arguments):
        conv, linear = count_parameters(*arguments)
        return conv, linear + 1

    report = count_parameters.check(nearly)
    assert "result 2 of 2: 273 came out; 272 was expected." in str(report)
    assert report.messages[-1] == "Right in 0 of 5 hidden cases."
