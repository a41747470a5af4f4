"""The checks of a reader's function: what passes, what fails, and what is said about it."""

import math
import warnings

import numpy as np
import pytest
import torch

from backbone.exercises import HINTS, TEXT, Case, Exercise, Misconception, Report, check
from backbone.exercises.convolution.filter_image import (
    CASES,
    EXERCISE,
    MESSAGES,
    check_filter_image,
    filter_image,
)

# --- Functions as readers write them ------------------------------------------------------------------------


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


WRITTEN_WRONG = {
    "flipped": [with_mistake(flip=True)],
    "transposed": [with_mistake(swap=True), lambda image, kernel: loops(image, kernel.T)],
    "padded": [padded],
    "mean": [lambda image, kernel: loops(image, kernel) / kernel.size],
    "not summed": [with_mistake(overwrite=True)],
    "one window": [
        with_mistake(early=True),
        lambda image, kernel: float((image[: kernel.shape[0], : kernel.shape[1]] * kernel).sum()),
    ],
    "swapped": [lambda image, kernel: loops(image, kernel).T],
    "absolute": [lambda image, kernel: np.abs(loops(image, kernel))],
    "clipped": [
        lambda image, kernel: np.clip(loops(image, kernel), 0, 1),
        lambda image, kernel: np.maximum(loops(image, kernel), 0),
    ],
    "rounded": [
        with_mistake(out_like=lambda image: int),
        lambda image, kernel: np.round(loops(image, kernel)),
    ],
    "wrapped": [with_mistake(out_like=lambda image: image.dtype)],
    "last missing": [with_mistake(short=1)],
}


def named(report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MESSAGES.items() if message in report.messages]


# --- filter_image -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        filter_image,
        loops,
        lambda image, kernel: loops(image, kernel).astype(np.float32),
        lambda image, kernel: torch.from_numpy(loops(image, kernel)).requires_grad_(),
        lambda image, kernel: np.asfortranarray(loops(image, kernel)),
    ],
    ids=["reference", "loops", "float32", "tensor", "fortran order"],
)
def test_right_functions_pass(function):
    report = check_filter_image(function)
    assert report == Report(True, "filter_image", (f"Right in all {len(CASES)} hidden cases.",))


@pytest.mark.parametrize("misconception", EXERCISE.misconceptions)
def test_each_misconception_gets_its_own_message_only(misconception):
    report = check_filter_image(misconception.function)
    assert not report.passed
    assert [MESSAGES[key] for key in named(report)] == [misconception.message]
    assert report.messages[0] == misconception.message


@pytest.mark.parametrize(
    ("key", "function"),
    [(key, function) for key, functions in WRITTEN_WRONG.items() for function in functions],
)
def test_mistakes_as_readers_write_them_are_recognized(key, function):
    report = check_filter_image(function)
    assert not report.passed
    assert named(report) == [key]


def test_every_message_and_every_case_is_used():
    assert {misconception.message for misconception in EXERCISE.misconceptions} == set(MESSAGES.values())
    assert list(WRITTEN_WRONG) == list(MESSAGES)
    assert [case.name for case in EXERCISE.cases] == list(CASES.values())


def test_another_mistake_is_not_mistaken_for_a_known_one():
    report = check_filter_image(lambda image, kernel: loops(image, kernel) * 2)
    assert named(report) == []
    assert report.messages[0].startswith(
        "Case 1, a square kernel without symmetry [image of shape (5, 7), kernel of shape (3, 3)]: "
    )
    assert " came out at row 0, column 0; " in report.messages[0]
    assert report.messages[0].endswith(" 15 of 15 values are wrong.")
    assert report.messages[1] == "Right in 0 of 7 hidden cases."


def stop_writing(image, kernel):
    raise NotImplementedError


@pytest.mark.parametrize("function", [stop_writing, lambda image, kernel: None])
def test_an_unwritten_function_is_called_so(function):
    report = check_filter_image(function)
    assert not report.passed
    assert report.messages == (TEXT["not written"],)
    assert report.messages[0].startswith("Not written yet")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([[1.0]], "a value of type list; a NumPy array of shape (3, 5) was expected."),
        ([[1.0, 2.0], [3.0]], "a value of type list; "),
        ("text", "a value of type str; "),
        (1.5, "a number; a NumPy array"),
        (np.float32(1), "a number; a NumPy array"),
        ((np.zeros((3, 5)),), "a tuple of 1 results; "),
        (np.zeros((3, 5), complex), "an array of dtype complex128; "),
        (np.full((3, 5), None), "an array of dtype object; "),
        (np.full((3, 5), "a"), "an array of dtype <U1; "),
        (np.zeros((5, 7)), ": shape (5, 7) came out; (3, 5) was expected."),
        (np.zeros(()), ": shape () came out; (3, 5) was expected."),
        (np.zeros((0, 5)), ": shape (0, 5) came out; (3, 5) was expected."),
        (np.full((3, 5), np.nan), "NaN or infinity came out at row 0, column 0; "),
        (np.full((3, 5), -np.inf), "NaN or infinity came out at row 0, column 0; "),
        (torch.zeros(3, 5, 1), ": shape (3, 5, 1) came out"),
        (torch.zeros(3, 5, dtype=torch.bfloat16), "your function stopped with TypeError"),
        (lambda: 0, "a value of type function; "),
    ],
)
def test_awkward_answers_are_described(answer, said):
    report = check_filter_image(lambda image, kernel: answer)
    assert not report.passed
    assert said in str(report)


def test_none_from_one_branch_only_is_described():
    report = check_filter_image(lambda image, kernel: loops(image, kernel) if kernel.size > 1 else None)
    assert "Case 4, a kernel of a single weight" in report.messages[0]
    assert "a value of type NoneType" in report.messages[0]
    assert report.messages[1] == "Right in 6 of 7 hidden cases."


class WeirdError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "name", "hint"),
    [
        (IndexError("index 5 is out of bounds"), "IndexError: index 5 is out of bounds", "IndexError"),
        (UnboundLocalError("total"), "UnboundLocalError: total", "NameError"),
        (ValueError(), "ValueError", "ValueError"),
        (ValueError("two\nlines {here}."), "ValueError: two lines {here}. The", "ValueError"),
        (RuntimeError("x" * 3000), "RuntimeError: ", "BaseException"),
        (SystemExit(1), "SystemExit: 1", "BaseException"),
        (WeirdError(), "WeirdError", "BaseException"),
    ],
)
def test_errors_are_caught_and_explained(error, name, hint):
    def broken(image, kernel):
        raise error

    report = check_filter_image(broken)
    assert not report.passed
    assert f"your function stopped with {name}" in report.messages[0]
    assert 'The line was "raise error".' in report.messages[0]
    assert report.messages[0].endswith(HINTS[hint])
    assert len(report.messages[0]) < 600


def test_a_keyboard_interrupt_gets_through():
    def endless(image, kernel):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_filter_image(endless)


def test_wrong_parameters_are_explained():
    report = check_filter_image(lambda image: image)
    assert "takes 1 positional argument but 2 were given" in report.messages[0]
    assert HINTS["TypeError"] in report.messages[0]


@pytest.mark.parametrize("given", [None, 3, np.zeros(3)])
def test_something_else_than_a_function_is_refused(given):
    report = check_filter_image(given)
    assert not report.passed
    assert f"a value of type {type(given).__name__}, not a function" in report.messages[0]


def test_changed_arguments_are_noticed_and_the_cases_stay_whole():
    def in_place(image, kernel):
        out = loops(image, kernel)
        kernel[:] = 0
        return out

    report = check_filter_image(in_place)
    assert not report.passed
    assert "your function changes its argument kernel." in report.messages[0]
    assert check_filter_image(filter_image).passed


def test_an_array_used_again_at_each_call_is_no_mistake():
    shared = np.zeros((20, 20))

    def thrifty(image, kernel):
        out = loops(image, kernel)
        view = shared[: out.shape[0], : out.shape[1]]
        view[:] = out
        return view

    assert check_filter_image(thrifty).passed


def test_the_check_is_deterministic_and_prints_pass_through(capsys):
    def chatty(image, kernel):
        print("here")
        return image

    assert check_filter_image(chatty) == check_filter_image(chatty)
    assert capsys.readouterr().out == "here\n" * 14


def test_a_warning_of_the_function_stays_a_warning():
    def warning(image, kernel):
        warnings.warn("careful", stacklevel=1)
        return filter_image(image, kernel)

    with pytest.warns(UserWarning, match="careful"):
        assert check_filter_image(warning).passed


# --- The report ---------------------------------------------------------------------------------------------


def test_a_report_says_its_verdict_in_words():
    passed, failed = Report(True, "title", ("one",)), Report(False, "title", ("one", "two"))
    assert str(passed) == repr(passed) == "Passed: title\n- one"
    assert str(failed) == "Not passed yet: title\n- one\n- two"
    assert "<strong>Passed</strong>" in passed._repr_html_()
    assert "<strong>Not passed yet</strong>" in failed._repr_html_()
    assert failed._repr_html_().count("<li>") == 2


def test_html_is_escaped_and_carries_no_style():
    page = Report(False, "<b>", ("<script>alert('&')</script>",))._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)" in page
    assert "&lt;b&gt;" in page
    assert "style=" not in page
    assert page.startswith('<div class="bb-report bb-report-failed">')


def test_a_report_is_frozen():
    with pytest.raises(AttributeError):
        Report(True, "title", ()).passed = False


# --- The machinery, with other kinds of answers -------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def mean_and_spread(values, weights):
    mean = np.average(values, weights=weights)
    return mean, values - mean


SCALAR = Exercise(
    "sigmoid",
    sigmoid,
    [Case("zero", (0.0,)), Case("large", (3.0,)), Case("negative", (-2.0,))],
    [Misconception(np.tanh, "tanh"), Misconception(lambda z: max(z, 0), "relu")],
)
PARTS = Exercise("spread", mean_and_spread, [Case("three numbers", (np.array([1.0, 2, 6]), [1, 1, 2]))])


def test_scalar_functions():
    assert check(SCALAR, sigmoid).passed
    assert check(SCALAR, lambda z: torch.sigmoid(torch.tensor(z))).passed
    assert check(SCALAR, lambda z: np.asarray(sigmoid(z))).passed
    assert check(SCALAR, np.tanh).messages[0] == "tanh"
    assert check(SCALAR, lambda z: z * (z > 0)).messages[0] == "relu"
    assert "[z = 0.0]: 1 came out; 0.5 was expected." in str(check(SCALAR, lambda z: 1))
    assert "[z = 0.0]: nan came out; 0.5 was expected." in str(check(SCALAR, lambda z: np.nan))
    said = "a NumPy array of shape (1,); a number was expected."
    assert said in str(check(SCALAR, lambda z: np.array([sigmoid(z)])))


def test_tuples_of_answers():
    assert check(PARTS, mean_and_spread).passed
    assert "a tuple of 2 results was expected" in str(check(PARTS, lambda values, weights: 1.0))
    assert "a tuple of 3 results; a tuple of 2" in str(check(PARTS, lambda values, weights: (1, 2, 3)))
    assert check(PARTS, lambda values, weights: list(mean_and_spread(values, weights))).passed
    report = check(PARTS, lambda values, weights: (3.75, values))
    assert "weights = [1, 1, 2]]: result 2 of 2: 1 came out at index (0,); -2.75 was expected." in str(report)


def test_right_numbers_pass_in_another_container():
    def two(x):
        return x + 1, x - 1

    exercise = Exercise("two", two, [Case("three numbers", (np.array([1.0, 2, 6]),))])
    for container in (
        list,
        np.stack,
        lambda parts: torch.tensor(np.stack(parts)),
        lambda parts: tuple(part.tolist() for part in parts),
    ):
        assert check(exercise, lambda x, to=container: to(tuple(map(np.asarray, two(x))))).passed
    assert "a tuple of 2 results was expected" in str(check(exercise, lambda x: np.stack((x, x, x))))
    assert "a tuple of 2 results was expected" in str(check(exercise, lambda x: np.stack((x, x), axis=1)))
    assert "a value of type dict; " in str(check(exercise, lambda x: dict(enumerate(two(x)))))
    assert "result 2 of 2: 2 came out" in str(check(exercise, lambda x: [x + 1, x + 1]))
    single = Exercise("ones", np.ones_like, [Case("one number", (np.zeros(3),))])
    assert check(single, lambda x: [torch.tensor(1.0)] * 3).passed
    assert "a tuple of 1 results; " in str(check(single, lambda x: (x + 1,)))  # a stray comma


def test_lists_of_arrays_are_described_by_their_shapes():
    layers = [(np.zeros((2, 3)), "relu"), (torch.zeros(4),)]
    exercise = Exercise("count", lambda layers, count: 3, [Case("two layers", (layers, len))])
    said = "[layers = [(array of shape (2, 3), 'relu'), (array of shape (4,),)], count]: 2 came out; 3 was expected."
    assert said in str(check(exercise, lambda layers, count: count(layers)))


def test_a_changed_list_is_noticed():
    def greedy(values, weights):
        answer = mean_and_spread(values, weights)
        weights.pop()
        return answer

    assert "changes its argument weights" in str(check(PARTS, greedy))


def test_generators_and_functions_may_be_arguments():
    def draw(rng, function):
        return function(rng.random(3))

    case = Case("three draws", (np.random.default_rng(0), np.sqrt))
    exercise = Exercise("draw", draw, [case, case])
    assert check(exercise, draw).passed
    assert not check(exercise, lambda rng, function: function(rng.normal(size=3) ** 2)).passed


def test_expected_nan_and_infinity_are_right_answers():
    exercise = Exercise("log", lambda x: x, [Case("special", (np.array([np.nan, np.inf, 1.0]),))])
    assert check(exercise, np.array).passed
    assert "NaN or infinity came out at index (2,); 1 was expected." in str(check(exercise, lambda x: x * np.inf))


def test_whole_numbers_are_written_out_and_counted_exactly():
    case = Case("many", (16_000_000,))
    exercise = Exercise("count", lambda n: n + 10, [case], rtol=0)
    assert check(exercise, lambda n: n + 10.0).passed
    assert "16,000,000 came out; 16,000,010 was expected." in str(check(exercise, lambda n: n))
    assert "1.6e+15 came out" in str(check(exercise, lambda n: n * 1e8))
    assert "-0.333333 came out" in str(check(exercise, lambda n: -1 / 3))


def test_a_float_is_refused_where_an_integer_is_needed():
    forgets = Misconception(lambda n: n // 2, "the one is forgotten")
    is_float = Misconception(lambda n: n // 2 + 1.0, "a float")
    exercise = Exercise(
        "half", lambda n: n // 2 + 1, [Case("odd", (7,)), Case("even", (8,))], [forgets, is_float], whole=True
    )
    for integer in (int, np.int32, np.uint8, np.array, torch.tensor):
        assert check(exercise, lambda n, to=integer: to(n // 2 + 1)).passed
    for kind in (float, np.float32, torch.tensor):
        report = check(exercise, lambda n, to=kind: to(n // 2 + 1.0))
        assert report.messages[:2] == (
            "a float",
            "Case 1, odd [n = 7]: 4.0 came out as a float; an int was expected.",
        )
        assert check(exercise, lambda n, to=kind: to(float(n // 2))).messages[0] == "the one is forgotten"
    assert check(exercise, lambda n: 4.0 if n == 7 else 5).messages[0] == "a float"


def test_unsigned_answers_are_compared_without_wrapping():
    exercise = Exercise("count", lambda x: x, [Case("bytes", (np.array([0, 255], np.uint8),))])
    assert check(exercise, np.array).passed
    assert not check(exercise, lambda x: x + np.uint8(1)).passed


def test_the_misconception_that_explains_most_is_named():
    right = Exercise(
        "right",
        lambda x: x,
        [Case("small", (np.ones(1),)), Case("large", (np.full(1, 5.0),))],
        [
            Misconception(lambda x: np.minimum(x, 2), "explains one case"),
            Misconception(lambda x: np.minimum(x, 2) * np.where(x > 2, 1, 0), "explains both"),
        ],
    )
    assert check(right, lambda x: np.where(x > 2, 2.0, 0.0)).messages[0] == "explains both"


def test_a_misconception_that_leaves_most_wrong_answers_open_is_not_named():
    cases = [Case(str(n), (n,)) for n in range(4)]
    exercise = Exercise("half", lambda n: n // 2, cases, [Misconception(lambda n: (n + 1) // 2, "rounded up")])
    assert check(exercise, lambda n: math.ceil(n / 2)).messages[0] == "rounded up"
    assert "rounded up" not in check(exercise, lambda n: n // 2 + 1).messages  # the same for odd numbers only
