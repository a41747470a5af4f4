"""The page's own host of widgets: many of them, broken ones, two views of one, and their models."""

import json

import pytest
from explorer_screen import Screen, wave

from backbone.widgets import ConvolutionExplorer
from backbone.widgets.base import BookWidget


def figure(name="wave", **changes):
    """Return a small figure with a setting in sight."""
    return ConvolutionExplorer({name: wave(12, 12)}, show="size", **changes)


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


@pytest.fixture
def again(browser):
    """Return a function that opens a page's address in another browser, in which a script has run before."""
    opened = []

    def again_(page, script):
        context = browser.new_context()
        opened.append(context)
        new = context.new_page()
        new.problems = []
        new.on("pageerror", lambda error: new.problems.append(str(error)))
        new.on("console", lambda message: message.type == "error" and new.problems.append(message.text))
        new.add_init_script(script)
        new.goto(page.url)
        return new

    yield again_
    for context in opened:
        context.close()


def test_a_broken_widget_leaves_the_others_alive(page_with):
    made = figure()
    broken = [Throws(), DoesNotParse()]
    views = [broken[0].model_id, "no-such-model", made.model_id, broken[1].model_id]
    expected = ["boom in render", "no state for the widget no-such-model", "Unexpected token", "DoesNotParse did not"]
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
    made = figure()
    page = page_with(made, views=[made.model_id, {"not": "an id"}], expected=["no state for the widget"])
    Screen(page, made).check()


def test_two_views_of_one_model_stay_in_step(page_with):
    made = figure()
    page = page_with(made, views=[made.model_id] * 2)
    first, second = Screen(page, made, 0), Screen(page, made, 1)
    first.output.focus()
    page.keyboard.press("End")
    second.choose("Stride", 2)
    made.stride = 2
    point = first.point()
    for screen in (first, second):
        screen.check(point=point)


def test_two_models_are_apart(page_with):
    made = [figure() for _ in range(2)]
    page = page_with(*made)
    first, second = Screen(page, made[0], 0), Screen(page, made[1], 1)
    second.choose("Stride", 3)
    second.check(stride=3, point=second.point())
    first.check()


def test_style_and_script_are_loaded_once_and_stand_in_no_state(page_with):
    made = [figure(), figure(), Remembers()]
    page = page_with(*made)
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name.split('/').at(-1))")
    assert [loaded.count(f"{name}.js") for name in ("ConvolutionExplorer", "Remembers")] == [1, 1]
    assert not any(name in json.dumps(state_of(page)["models"]) for name in ("_esm", "_css", "--bb-positive"))
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


def state_of(page):
    return json.loads(page.locator('script[type$="widget-state+json"]').text_content())


def test_equal_pictures_travel_once(page_with):
    made = [figure(), figure(kernel="sobel_x")]
    page = page_with(*made)
    models = state_of(page)["models"].values()
    assert len({model["buffers"][0]["buffer"] for model in models}) == len(state_of(page)["buffers"]) == 1
    for i, one in enumerate(made):
        Screen(page, one, i).check()


def test_a_later_figures_pictures_come_behind_the_first_figure(page_with):
    made = [figure(), ConvolutionExplorer({"still": wave(12, 12)[::-1]}, show="size")]
    page = page_with(*made)
    later = json.loads(page.locator("#bb-buffers").text_content())
    assert len(state_of(page)["buffers"]) == len(later) == 1
    for i, one in enumerate(made):
        Screen(page, one, i).check()


def test_a_browser_without_base64_of_its_own_reads_pictures_too(page_with, again):
    made = figure()
    page = again(page_with(made), "delete Uint8Array.fromBase64")
    Screen(page, made).check()


def test_binary_state_arrives_whole(page_with):
    made = figure()
    page = page_with(made)
    model = state_of(page)["models"][made.model_id]
    assert [buffer["path"] for buffer in model["buffers"]] == [["pixels", "data"]]
    Screen(page, made).check()


def test_text_cannot_end_the_state_early(page_with):
    name = "</script><b>wave</b>"
    made = figure(name)
    page = page_with(made)
    Screen(page, made).check()
    assert page.locator("b").count() == 0


# --- When views are drawn ------------------------------------------------------------------------------------

APART = """
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".bb-view { margin-bottom: 5000px }");
    document.adoptedStyleSheets.push(sheet);
"""
DRAWN = "[...document.querySelectorAll('.bb-view')].map((view) => view.children.length)"
NEVER_IDLE = "window.requestIdleCallback = () => {};"


@pytest.fixture
def apart(page_with, again):
    """Return a function that opens a page with three views, far from each other, none of which was asked for."""

    def apart_(script=""):
        made = Remembers()
        return again(page_with(made, views=[made.model_id] * 3), f"{script}; {APART}")

    return apart_


def test_a_view_below_is_drawn_when_it_comes_near(apart):
    page = apart(NEVER_IDLE)
    page.wait_for_timeout(300)
    assert page.evaluate(DRAWN) == [1, 0, 0]
    page.evaluate("scrollTo(0, 4500)")
    page.wait_for_function(f"{DRAWN}.join() === '1,1,0'")


def test_no_view_is_missing_once_the_browser_was_idle(apart):
    apart().wait_for_function(f"{DRAWN}.join() === '1,1,1'")


def test_all_views_are_drawn_before_a_page_is_printed(apart):
    page = apart(NEVER_IDLE)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(DRAWN) == [1, 1, 1]


# --- What a reader set is kept for the visit -----------------------------------------------------------------


class Folds(BookWidget):
    """A widget with two folds."""

    _esm = """export default { render({ model, el }) {
        window.models = [model];
        window.first = model.get("a");
        window.room = el.offsetHeight;
        for (const name of ["first", "second"]) {
            const fold = document.createElement("details");
            fold.className = "bb-fold";
            fold.innerHTML = `<summary>${name}</summary><p style="height: 300px">${name}</p>`;
            el.append(fold);
        }
    } }"""


def test_settings_survive_a_reload_and_are_there_at_the_first_draw(page_with, settle):
    made = figure()
    page = page_with(made)
    screen = Screen(page, made)
    screen.choose("Stride", 2)
    point = screen.point()
    page.reload()
    settle(page)
    screen.check(stride=2, point=point)


def test_only_what_json_can_hold_and_a_reader_set_is_kept(page_with, settle):
    page = page_with(Folds())
    page.evaluate(
        """() => {
            const [model] = models;
            model.set({ a: [1, { b: "x" }], bytes: { data: new DataView(new ArrayBuffer(8)) }, number: NaN });
            model.save_changes();
            model.set("unsaved", 1);
        }"""
    )
    page.reload()
    settle(page)
    assert page.evaluate("first") == [1, {"b": "x"}]
    values = page.evaluate("['bytes', 'number', 'unsaved'].map((name) => models[0].get(name) ?? null)")
    assert values == [None] * 3


def test_folds_stay_open_and_their_room_is_kept(page_with, settle):
    page = page_with(Folds())
    page.get_by_text("second").first.click()
    height = page.locator(".bb-view").bounding_box()["height"]
    page.reload()
    settle(page)
    assert page.locator("details").evaluate_all("(all) => all.map((fold) => fold.open)") == [False, True]
    assert page.locator(".bb-view").bounding_box()["height"] == height
    assert page.evaluate("room") == height


def test_a_figure_that_was_used_invites_no_more_and_none_does_on_paper(page_with, settle):
    page = page_with(*[figure() for _ in range(2)])
    invitations = page.locator(".bb-invite")
    assert [one.is_visible() for one in invitations.all()] == [True, True]
    page.get_by_text("Numbers").first.click()
    page.reload()
    settle(page)
    assert [one.is_visible() for one in invitations.all()] == [False, True]
    page.emulate_media(media="print")
    assert not invitations.last.is_visible()


SET = "models[0].set('a', 1), models[0].save_changes()"


def test_settings_of_another_build_are_void(page_with, settle):
    page = page_with(Folds())
    page.evaluate(SET)
    page.route(
        "**/page.html", lambda route: route.fulfill(body=rebuilt(route.fetch().text()), content_type="text/html")
    )
    page.reload()
    settle(page)
    assert page.evaluate("models[0].get('a') ?? null") is None


def rebuilt(text):
    return text.replace('"key":"', '"key":"another')


REFUSED = "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('refused') } });"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') };"
BROKEN = "Storage.prototype.getItem = () => 'no JSON';"


@pytest.mark.parametrize("storage", [REFUSED, FULL, BROKEN], ids=["refused", "full", "broken"])
def test_where_nothing_can_be_kept_a_page_starts_afresh_without_an_error(page_with, again, settle, storage):
    page = again(page_with(Folds()), storage)
    settle(page)
    page.evaluate(SET)
    page.reload()
    settle(page)
    assert page.evaluate("models[0].get('a') ?? null") is None
    assert page.problems == []
