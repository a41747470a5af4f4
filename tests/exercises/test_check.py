"""The checks of a reader's function: what passes, what fails, and what is said about it."""

import math
import warnings

import numpy as np
import pytest
import torch
from readers import named

from backbone.exercises.check import exercise
from backbone.exercises.convolution import filter_image
from backbone.exercises.measures import disagreeing, repeating
from backbone.exercises.report import HINTS, TEXT, Report

# --- filter_image, for example -------------------------------------------------------------------------------


def test_another_mistake_is_not_mistaken_for_a_known_one():
    report = filter_image.check(lambda image, kernel: filter_image(image, kernel) * 2)
    assert named(filter_image, report) == []
    assert report.messages[0].startswith(
        "Case 1, a square kernel without symmetry [image of shape (5, 7), kernel of shape (3, 3)]: "
    )
    assert " came out at row 0, column 0; " in report.messages[0]
    assert report.messages[0].endswith(" 15 of 15 values are wrong.")
    assert report.messages[1] == "Right in 0 of 7 hidden cases."


def stop_writing(image, kernel):
    raise NotImplementedError


def test_an_unwritten_function_is_called_so():
    report = filter_image.check(stop_writing)
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
    report = filter_image.check(lambda image, kernel: answer)
    assert not report.passed
    assert said in str(report)


def test_none_from_one_branch_only_is_described():
    report = filter_image.check(lambda image, kernel: filter_image(image, kernel) if kernel.size > 1 else None)
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

    report = filter_image.check(broken)
    assert not report.passed
    assert f"your function stopped with {name}" in report.messages[0]
    assert 'The line was "raise error".' in report.messages[0]
    assert report.messages[0].endswith(HINTS[hint])
    assert len(report.messages[0]) < 600


def test_a_keyboard_interrupt_gets_through():
    def endless(image, kernel):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filter_image.check(endless)


def test_wrong_parameters_are_explained():
    report = filter_image.check(lambda image: image)
    assert "takes 1 positional argument but 2 were given" in report.messages[0]
    assert HINTS["TypeError"] in report.messages[0]


@pytest.mark.parametrize("given", [None, 3, np.zeros(3)])
def test_something_else_than_a_function_is_refused(given):
    report = filter_image.check(given)
    assert not report.passed
    assert f"a value of type {type(given).__name__}, not a function" in report.messages[0]


def test_changed_arguments_are_noticed_and_the_cases_stay_whole():
    def in_place(image, kernel):
        out = filter_image(image, kernel)
        kernel[:] = 0
        return out

    report = filter_image.check(in_place)
    assert not report.passed
    assert "your function changes its argument kernel." in report.messages[0]
    assert filter_image.check(filter_image).passed


def test_an_array_used_again_at_each_call_is_no_mistake():
    shared = np.zeros((20, 20))

    def thrifty(image, kernel):
        out = filter_image(image, kernel)
        view = shared[: out.shape[0], : out.shape[1]]
        view[:] = out
        return view

    assert filter_image.check(thrifty).passed


def test_the_check_is_deterministic_and_prints_pass_through(capsys):
    def chatty(image, kernel):
        print("here")
        return image

    assert filter_image.check(chatty) == filter_image.check(chatty)
    assert capsys.readouterr().out == "here\n" * 14


def test_a_warning_of_the_function_stays_a_warning():
    def warning(image, kernel):
        warnings.warn("careful", stacklevel=1)
        return filter_image(image, kernel)

    with pytest.warns(UserWarning, match="careful"):
        assert filter_image.check(warning).passed


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


SCALAR = exercise({"zero": (0.0,), "large": (3.0,), "negative": (-2.0,)})(sigmoid)
SCALAR.mistake("tanh", np.tanh)
SCALAR.mistake("relu", lambda z: max(z, 0))
PARTS = exercise({"three numbers": (np.array([1.0, 2, 6]), [1, 1, 2])})(mean_and_spread)


def test_scalar_functions():
    assert SCALAR.check(sigmoid).passed
    assert SCALAR.check(lambda z: torch.sigmoid(torch.tensor(z))).passed
    assert SCALAR.check(lambda z: np.asarray(sigmoid(z))).passed
    assert SCALAR.check(np.tanh).messages[0] == "tanh"
    assert SCALAR.check(lambda z: z * (z > 0)).messages[0] == "relu"
    assert "[z = 0.0]: 1 came out; 0.5 was expected." in str(SCALAR.check(lambda z: 1))
    assert "[z = 0.0]: nan came out; 0.5 was expected." in str(SCALAR.check(lambda z: np.nan))
    said = "a NumPy array of shape (1,); a number was expected."
    assert said in str(SCALAR.check(lambda z: np.array([sigmoid(z)])))


def test_tuples_of_answers():
    assert PARTS.check(mean_and_spread).passed
    assert "a tuple of 2 results was expected" in str(PARTS.check(lambda values, weights: 1.0))
    assert "a tuple of 3 results; a tuple of 2" in str(PARTS.check(lambda values, weights: (1, 2, 3)))
    assert PARTS.check(lambda values, weights: list(mean_and_spread(values, weights))).passed
    report = PARTS.check(lambda values, weights: (3.75, values))
    assert "weights = [1, 1, 2]]: result 2 of 2: 1 came out at index (0,); -2.75 was expected." in str(report)


def test_right_numbers_pass_in_another_container():
    def two(x):
        return x + 1, x - 1

    pair = exercise({"three numbers": (np.array([1.0, 2, 6]),)})(two)
    for container in (
        list,
        np.stack,
        lambda parts: torch.tensor(np.stack(parts)),
        lambda parts: tuple(part.tolist() for part in parts),
    ):
        assert pair.check(lambda x, to=container: to(tuple(map(np.asarray, two(x))))).passed
    assert "a tuple of 2 results was expected" in str(pair.check(lambda x: np.stack((x, x, x))))
    assert "a tuple of 2 results was expected" in str(pair.check(lambda x: np.stack((x, x), axis=1)))
    assert "a value of type dict; " in str(pair.check(lambda x: dict(enumerate(two(x)))))
    assert "result 2 of 2: 2 came out" in str(pair.check(lambda x: [x + 1, x + 1]))
    single = exercise({"one number": (np.zeros(3),)})(lambda x: np.ones(3))
    assert single.check(lambda x: [torch.tensor(1.0)] * 3).passed
    assert "a tuple of 1 results; " in str(single.check(lambda x: (x + 1,)))  # a stray comma


def test_lists_of_arrays_are_described_by_their_shapes():
    layers = [(np.zeros((2, 3)), "relu"), (torch.zeros(4),)]
    counted = exercise({"two layers": (layers, len)})(lambda layers, count: 3)
    said = "[layers = [(array of shape (2, 3), 'relu'), (array of shape (4,),)], count]: 2 came out; 3 was expected."
    assert said in str(counted.check(lambda layers, count: count(layers)))


def test_a_changed_list_is_noticed():
    def greedy(values, weights):
        answer = mean_and_spread(values, weights)
        weights.pop()
        return answer

    assert "changes its argument weights" in str(PARTS.check(greedy))


def test_generators_and_functions_may_be_arguments():
    def draw(rng, function):
        return function(rng.random(3))

    given = np.random.default_rng(0), np.sqrt
    drawing = exercise({"three draws": given, "the same three": given})(draw)
    assert drawing.check(draw).passed
    assert not drawing.check(lambda rng, function: function(rng.normal(size=3) ** 2)).passed


def test_expected_nan_and_infinity_are_right_answers():
    same = exercise({"special": (np.array([np.nan, np.inf, 1.0]),)})(lambda x: x)
    assert same.check(np.array).passed
    assert "NaN or infinity came out at index (2,); 1 was expected." in str(same.check(lambda x: x * np.inf))


def test_whole_numbers_are_written_out_and_counted_exactly():
    counted = exercise({"many": (16_000_000,)}, rtol=0)(lambda n: n + 10)
    assert counted.check(lambda n: n + 10.0).passed
    assert "16,000,000 came out; 16,000,010 was expected." in str(counted.check(lambda n: n))
    assert "1.6e+15 came out" in str(counted.check(lambda n: n * 1e8))
    assert "-0.333333 came out" in str(counted.check(lambda n: -1 / 3))


def test_a_float_is_refused_where_an_integer_is_needed():
    half = exercise({"odd": (7,), "even": (8,)}, whole=True)(lambda n: n // 2 + 1)
    half.mistake("the one is forgotten", lambda n: n // 2)
    half.mistake("a float", lambda n: n // 2 + 1.0)
    for integer in (int, np.int32, np.uint8, np.array, torch.tensor):
        assert half.check(lambda n, to=integer: to(n // 2 + 1)).passed
    for kind in (float, np.float32, torch.tensor):
        report = half.check(lambda n, to=kind: to(n // 2 + 1.0))
        assert report.messages[:2] == (
            "a float",
            "Case 1, odd [n = 7]: 4.0 came out as a float; an int was expected.",
        )
        assert half.check(lambda n, to=kind: to(float(n // 2))).messages[0] == "the one is forgotten"
    assert half.check(lambda n: 4.0 if n == 7 else 5).messages[0] == "a float"


def test_unsigned_answers_are_compared_without_wrapping():
    same = exercise({"bytes": (np.array([0, 255], np.uint8),)})(lambda x: x)
    assert same.check(np.array).passed
    assert not same.check(lambda x: x + np.uint8(1)).passed


def test_the_mistake_that_explains_most_is_named():
    right = exercise({"small": (np.ones(1),), "large": (np.full(1, 5.0),)})(lambda x: x)
    right.mistake("explains one case", lambda x: np.minimum(x, 2))
    right.mistake("explains both", lambda x: np.minimum(x, 2) * np.where(x > 2, 1, 0))
    assert right.check(lambda x: np.where(x > 2, 2.0, 0.0)).messages[0] == "explains both"


def test_a_mistake_that_leaves_most_wrong_answers_open_is_not_named():
    half = exercise({str(n): (n,) for n in range(4)})(lambda n: n // 2)
    half.mistake("rounded up", lambda n: (n + 1) // 2)
    assert half.check(lambda n: math.ceil(n / 2)).messages[0] == "rounded up"
    assert "rounded up" not in half.check(lambda n: n // 2 + 1).messages  # the same for odd numbers only


@pytest.mark.parametrize(("measured", "found"), [(disagreeing, 1), (repeating, 0)])
def test_two_draws_that_agree_by_chance_are_told_apart(measured, found):
    answers = iter([0.0, 0.0, 1.0, 0.0])
    assert measured(np.zeros(3)).measure(lambda x, generator: x + next(answers), np.zeros(3)) == found
