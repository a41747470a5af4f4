"""The page's own host of widgets: many of them, broken ones, two views of one, and their models."""

import json

import pytest
from explorer_screen import Screen, wave

from backbone.widgets import ConvolutionExplorer
from backbone.widgets.base import BookWidget

pytestmark = pytest.mark.browser


class Throws(BookWidget):
    _esm = "export default { render() { throw new Error('boom in render') } }"


class DoesNotParse(BookWidget):
    _esm = "export default { render( { }"


class Remembers(BookWidget):
    """A widget that leaves its model to the test."""

    _esm = """export default {
        initialize({ model }) { model.set("started", (model.get("started") ?? 0) + 1) },
        render({ model, el }) { (window.models ??= []).push(model); el.innerHTML = "<p>drawn</p>" },
    }"""
    _css = ".bb-widget.remembers { color: red }"


def test_a_broken_widget_leaves_the_others_alive(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    broken = [Throws(), DoesNotParse()]
    views = [broken[0].model_id, "no-such-model", made.model_id, broken[1].model_id]
    expected = ["boom in render", "no state for the widget no-such-model", "SyntaxError"]
    page = page_with(*broken, made, views=views, expected=expected)
    messages = page.locator(".bb-view[role=alert]")
    assert messages.all_inner_texts() == [messages.first.inner_text()] * 3
    assert messages.first.inner_text().startswith("This figure could not be drawn.")
    screen = Screen(page, made)
    screen.check()
    screen.output.focus()
    page.keyboard.press("End")
    screen.check(point=[0, 9])


def test_a_view_that_is_no_json_is_fenced_off(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    page = page_with(made, views=[made.model_id, {"not": "an id"}], expected=["no state for the widget"])
    Screen(page, made).check()


def test_two_views_of_one_model_stay_in_step(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    page = page_with(made, views=[made.model_id] * 2)
    first, second = Screen(page, made, 0), Screen(page, made, 1)
    first.output.focus()
    page.keyboard.press("End")
    second.group("Stride").get_by_text("2", exact=True).click()
    made.stride = 2
    point = first.point()
    for screen in (first, second):
        screen.check(point=point)


def test_two_models_are_apart(page_with):
    made = [ConvolutionExplorer({"wave": wave(12, 12)}) for _ in range(2)]
    page = page_with(*made)
    first, second = Screen(page, made[0], 0), Screen(page, made[1], 1)
    second.group("Stride").get_by_text("3", exact=True).click()
    second.check(stride=3, point=second.point())
    first.check()


def test_style_and_module_are_loaded_once(page_with):
    made = [ConvolutionExplorer({"wave": wave(12, 12)}), ConvolutionExplorer({"wave": wave(12, 12)}), Remembers()]
    page = page_with(*made)
    styles = page.locator("head style").all_inner_texts()
    assert sum("--bb-positive" in style for style in styles) == 1
    assert sum(".remembers" in style for style in styles) == 1


def test_a_model_is_started_once(page_with):
    made = Remembers()
    page = page_with(made, views=[made.model_id] * 2)
    assert page.evaluate("[models.length, models[0] === models[1], models[0].get('started')]") == [2, True, 1]


def test_model_tells_of_changes(page_with):
    page = page_with(Remembers())
    heard = page.evaluate(
        """() => {
            const [model] = models, heard = [];
            const note = (name) => (sender, value) => heard.push([name, sender === model, value ?? null]);
            const first = note("first"), second = note("second");
            model.on("change:a", first);
            model.on("change:a", first); // twice is once
            model.on("change:a", second);
            model.on("change", note("any"));
            model.set("a", 1);
            model.set("a", 1); // no change of a
            model.off("change:a", first);
            model.set({ a: 2, b: 3 });
            model.off("change:a");
            model.set("a", NaN);
            model.off("change:never", first);
            model.save_changes();
            return [heard, model.get("b"), Number.isNaN(model.get("a")), model.get("unknown") === undefined];
        }"""
    )
    assert heard[1:] == [3, True, True]
    named = [entry for entry in heard[0] if entry[0] != "any"]
    assert named == [["first", True, 1], ["second", True, 1], ["second", True, 2]]


def test_a_handler_may_go_while_it_is_called(page_with):
    page = page_with(Remembers())
    heard = page.evaluate(
        """() => {
            const [model] = models;
            let heard = 0;
            const once = () => { heard++; model.off("change:a", once); };
            model.on("change:a", once);
            model.set("a", 1);
            model.set("a", 2);
            return heard;
        }"""
    )
    assert heard == 1


def test_binary_state_arrives_whole(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    page = page_with(made)
    state = json.loads(page.locator('script[type$="widget-state+json"]').text_content())["state"][made.model_id]
    assert [buffer["path"] for buffer in state["buffers"]] == [["pixels", "data"]]
    Screen(page, made).check()


def test_text_cannot_end_the_state_early(page_with):
    name = "</script><b>wave</b>"
    made = ConvolutionExplorer({name: wave(12, 12)})
    page = page_with(made)
    Screen(page, made).check()
    assert page.locator("b").count() == 0
