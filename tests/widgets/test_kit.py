"""The functions of the kit that need no widget."""

import numpy as np
import pytest
from page_checks import FRAME

from backbone.widgets.base import HERE, join


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(join(HERE / "kit.js"))


def test_ticks_are_round_numbers_within_the_range(module):
    assert module("() => m.ticksOf(-0.31, 0.92, 6)") == [-0.2, 0, 0.2, 0.4, 0.6, 0.8]
    assert module("() => m.ticksOf(45, 100, 4)") == [60, 80, 100]
    assert module("() => m.ticksOf(-43.2, 10.9, 6)") == [-40, -30, -20, -10, 0, 10]


def test_numbers_in_print(module):
    given = [0.2349, 1.5e-31, 8e7, 1, 0, 9876, -0.5, -3.961743981019167e39]
    assert module("(given) => given.map((value) => m.compact(value))", given) == [
        "0.235", "1.5×10⁻³¹", "8.0×10⁷", "1", "0", "9880", "−0.5", "−4.0×10³⁹",
    ]  # fmt: skip
    assert module("() => [-31, 0, 12].map(m.powerOfTen)") == ["10⁻³¹", "10⁰", "10¹²"]
    assert module("() => [m.show(-3.961743981019167e39), m.show(1e21), m.show(-0.00001), m.show(999999.5)]") == [
        "−4.0×10³⁹", "1.0×10²¹", "0", "999999.5",
    ]  # fmt: skip
    assert module("() => [m.fixed(-0.0001, 2), m.fixed(-1.5, 2)]") == ["0.00", "−1.50"]
    counts = [0, 7, 999, 1000, 60_000, 1_234_567, -1, -999, -12_345, 2**53]
    assert module("(counts) => counts.map(m.grouped)", counts) == [f"{count:,}" for count in counts]
    assert module("() => [0, 0.001, 0.125, 1].map((share) => m.percent(share))") == ["0 %", "0 %", "13 %", "100 %"]
    assert module("() => [0, 0.001, 0.01, 0.1234].map((share) => m.percent(share, 1, 2))") == [
        "0.0 %", "0.10 %", "1.0 %", "12.3 %",
    ]  # fmt: skip


def test_a_text_gets_its_values_and_says_which_it_lacks(module):
    assert module("() => m.fill('{a} of {b}, {a}', { a: 1, b: 'two $& {a}' })") == "1 of two $& {a}, 1"
    with pytest.raises(Exception, match=r'no value for \{b\} in "\{a\} of \{b\}"'):
        module("() => m.fill('{a} of {b}', { a: 1 })")


def test_a_path_through_points(module):
    assert module("() => m.pathOf([[0, 1], [2.345, 10]], 1)") == "M0.0,1.0L2.3,10.0"
    assert module("() => m.pathOf([])") == ""


LIVE = """async (acts) => {
    const handlers = {}, state = { a: 0 };
    const model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; handlers[`change:${name}`]?.(); },
        save_changes() {},
        on: (event, handler) => (handlers[event] = handler),
        off: (event) => delete handlers[event],
    };
    let counts = 0;
    const el = document.body;
    const { render } = m.widget(["a"], (view, model) => {
        const live = m.speaker(view);
        const node = m.button("up", () => view.set({ a: model.get("a") + 1 }));
        const paint = () => {
            counts++;
            m.write(node, `a is ${model.get("a")}`);
            live.say(`spoken ${model.get("a")}`);
        };
        return { root: m.body("bb-x", "A widget", node, live.node), paint };
    });
    const dispose = render({ model, el });
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const line = () => el.querySelector("p");
    const said = async () => { while (line().ariaLive !== "polite") await wait(20); };
    const seen = () => [el.querySelector("button").textContent, line().textContent, line().ariaLive, counts];
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await wait(600);
    const found = [seen()];
    for (let i = 0; i < 3; i++) el.querySelector("button").click();
    await frame();
    found.push(seen());
    await said();
    found.push(seen());
    el.querySelector("button").click();
    await frame();
    dispose();
    model.set("a", 9);
    await wait(600);
    found.push([el.innerHTML, Object.keys(handlers).length, counts]);
    return found;
}"""


def test_a_widget_repaints_once_a_frame_speaks_after_a_rest_and_lets_go(module):
    first, acted, rested, gone = module(LIVE)
    assert first == ["a is 0", "spoken 0", "off", 1], "nothing is read aloud before the reader acts"
    assert acted == ["a is 3", "spoken 3", "off", 2], "three changes, one repaint"
    assert rested == ["a is 3", "spoken 3", "polite", 2]
    assert gone == ["", 0, 3]


RESIZED = """async () => {
    const errors = [], node = document.body.appendChild(document.createElement("div"));
    addEventListener("error", (event) => errors.push(event.message));
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const view = m.scope({ on() {}, off() {} });
    let calls = 0;
    view.onResize(node, () => calls++ < 3 && (node.style.height = `${100 + 10 * calls}px`));
    for (let i = 0; i < 6; i++) await frame();
    const before = calls;
    node.style.height = "300px";
    view.dispose();
    await frame();
    return [errors, before, calls];
}"""


def test_what_a_change_of_size_asks_for_comes_in_a_frame_of_its_own(module):
    """A handler that changes sizes within the observer's turn makes the browser raise an error on the window."""
    errors, before, after = module(RESIZED)
    assert errors == []
    assert before == after == 4


STAGE = """() => {
    const handlers = {}, state = { answer: "", step: 0 };
    const model = window.model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; [...(handlers[`change:${name}`] ?? [])].forEach((f) => f()); },
        save_changes() {},
        on: (event, handler) => (handlers[event] = (handlers[event] ?? new Set()).add(handler)),
        off: (event, handler) => handlers[event]?.delete(handler),
    };
    window.steps = [];
    const texts = { play: "Play", pause: "Pause", step: "Step" };
    m.widget(["answer", "step"], (view, model) => {
        const asked = m.question(view, "answer", "Which?", { a: "A", b: "B" });
        const now = () => model.get("step");
        const film = m.film(view, texts, { last: 4, seconds: 0.2, now, go: (step) => view.set({ step }) });
        const says = m.speaker(view);
        const numbers = m.table("Counts", ["one", "two"], ["first", "second"]);
        const paint = () => {
            steps.push(now());
            asked.update(model.get("answer"), "b");
            film.set(now(), `step ${now()}`);
            numbers.update([[1, 2], [3, 4]]);
            says.say(`at ${now()}`);
        };
        const picture = m.stage(m.invitation("Press it"), ...asked.buttons.values());
        return { root: m.body("bb-x", "A figure", asked.node, picture, film.node, says.node, numbers.node), paint };
    }).render({ model, el: document.body });
}"""


@pytest.fixture
def figure(module):
    module(STAGE)
    yield module
    module("() => document.body.replaceChildren()")


def test_an_answer_is_locked_and_stands_beside_the_truth(figure):
    looks = (
        "() => [...document.querySelectorAll('.bb-answers')].map((n) => [n.disabled, n.className.split(' ').slice(2)])"
    )
    assert figure(looks) == [[False, []], [False, []]]
    figure("() => document.querySelector('.bb-answers').click()")
    figure(FRAME)
    assert figure(looks) == [[True, ["bb-given"]], [True, ["bb-true"]]]


def test_a_film_plays_to_its_end_begins_again_and_is_scrubbed(figure):
    figure("() => document.querySelector('.bb-primary').click()")
    figure("async () => { while (model.get('step') < 4) await new Promise(requestAnimationFrame); }")
    figure(FRAME)
    steps = figure("() => steps")
    assert steps == sorted(steps)
    assert steps[-1] == 4
    assert any(step % 1 for step in steps)
    assert figure("() => document.querySelector('.bb-primary').textContent") == "Play"
    # The word on the button tells its state; "Pause, pressed" would say the opposite.
    assert not figure("() => document.querySelector('.bb-primary').hasAttribute('aria-pressed')")
    # The slider says its value; an output beside it would be read at each step, too.
    assert figure("() => document.querySelector('output').ariaHidden") == "true"
    figure(
        """() => {
            const [play, bar] = document.querySelectorAll(".bb-primary, input");
            play.click();
            bar.value = 2;
            bar.dispatchEvent(new Event("input"));
        }"""
    )
    figure(FRAME)
    assert figure("() => model.get('step')") == 2, "a hand on the slider stops the film"


ACTS = {
    "a key": "document.querySelector('td').dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }))",
    "a press": "document.querySelector('td').click()",
    "a change from elsewhere": "model.set('step', 2)",
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_whatever_the_reader_does_the_figure_is_used(figure, act):
    used = "() => document.querySelector('.bb-widget').matches('.bb-used')"
    passing = """() => {
        for (const type of ["Tab", "Shift"])
            document.querySelector("td").dispatchEvent(new KeyboardEvent("keydown", { key: type, bubbles: true }));
        document.body.click();
    }"""
    figure(passing)
    assert not figure(used), "what only passes by is no use"
    figure(f"() => {{ {act} }}")
    assert figure(used)


def test_the_sentence_is_seen_at_once_and_heard_at_rest(figure):
    said = "() => ['textContent', 'ariaLive'].map((name) => document.querySelector('.bb-says')[name])"
    assert figure(said)[0] == "at 0"
    figure("() => { model.set('step', 3); }")
    figure(FRAME)
    assert figure(said) == ["at 3", "off"]
    figure(f"async () => {{ while (({said})()[1] !== 'polite') await new Promise(requestAnimationFrame); }}")
    assert figure(said) == ["at 3", "polite"]
    cells = "() => [...document.querySelectorAll('tbody td')].map((cell) => cell.textContent)"
    assert figure(cells) == ["1", "2", "3", "4"]


READ = {
    "1": 1, "-1.5": -1.5, "−1,5": -1.5, "0,125": 0.125, "1,0625": 1.0625, "–2": -2, "1/9": 1 / 9, " +.5 ": 0.5, "3.": 3,
    "-1 / 3": -1 / 3,
}  # fmt: skip
NOT_READ = [
    "", " ", "abc", "1/0", "1/2/3", "1e3", "--1", "1 2", "/", "NaN", "Infinity", "0x10", "1,2,3", "1,000", "-12,345/2",
]  # fmt: skip


def test_numbers_that_are_typed(module):
    assert module("(texts) => texts.map(m.parseNumber)", list(READ)) == list(READ.values())
    assert module("(texts) => texts.map(m.parseNumber)", NOT_READ) == [None] * len(NOT_READ)


def test_half_precision_is_decoded_exactly(module_of):
    bits = np.arange(2**16, dtype=np.uint16)
    decode = module_of(f"{join(HERE / 'kit.js')}\nexport {{ fromHalf }};")
    found = decode("() => Array.from({ length: 65536 }, (_, bits) => String(m.fromHalf(bits)))")
    np.testing.assert_array_equal(np.array(found, float), bits.view(np.float16).astype(float))
    assert decode("() => [0, 0x8000].map((bits) => Object.is(m.fromHalf(bits), -0))") == [False, True]


COLORS_OF = """(values) => values.map((value) => {{
    const bytes = new Uint8ClampedArray(8).fill(7);
    {}(value, bytes, 4);
    if (bytes.subarray(0, 4).some((byte) => byte !== 7)) throw new Error("it wrote beside its pixel");
    return [...bytes.subarray(4)];
}})"""


def test_colors_of_values(module):
    gray = module(COLORS_OF.format("m.gray(1)"), [-1, 0, 0.5, 1, 2])
    assert gray == [[level, level, level, 255] for level in (0, 0, 128, 255, 255)]
    diverging = module(COLORS_OF.format("m.signed(2, [1, 2, 3], [4, 5, 6])"), [-4, -2, 0, 1, 2])
    assert diverging == [[4, 5, 6, 255], [4, 5, 6, 255], [1, 2, 3, 0], [1, 2, 3, 128], [1, 2, 3, 255]]
    assert module(COLORS_OF.format("m.signed(0, [1, 2, 3], [4, 5, 6])"), [0]) == [[1, 2, 3, 0]]
