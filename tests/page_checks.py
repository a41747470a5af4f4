"""What is asked of every page and of every widget: sizes of text and targets, and accessibility."""

import io
import itertools
import json
import re

import numpy as np
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image

SMALLEST_TARGET = 24  # CSS pixels, WCAG 2.2, 2.5.8
SMALLEST_TEXT = 12
WIDTHS = (1280, 320)  # a wide window, and the narrowest that everything works in

# What axe finds in markup that is not ours, each with its reason: rule -> selectors.
NOT_OURS = {
    # docutils writes each bibliography entry with role="doc-biblioentry" into a role="list"; that the role may not
    # stand there is younger than docutils' choice. Screen readers read the entries as paragraphs.
    "aria-required-children": {".citation-list"},
}


THEMES = ("light", "dark")
COLOR_RULES = ["color-contrast", "link-in-text-block"]  # what they say depends on the theme, all else does not
# Marks what has no color checked yet, and returns what is now checked. The look of an element decides, which is what
# contrast depends on: its color, whether it counts as large, the grounds that it stands on, and for a link the text
# around it. On a page nothing lies on anything else, so the first of each look stands for all, on any page (a page has
# hundreds of words of code in a few colors); in a widget an element stands for itself.
MARK_UNCHECKED = """(known) => {
    document.getAnimations().forEach((animation) => animation.finish()); // colors on their way
    const checked = new Set(JSON.parse(known)), fresh = [], looks = new Map();
    const look = (node) => {
        if (!node) return { ground: "" };
        if (!looks.has(node)) {
            const s = getComputedStyle(node), { ground } = look(node.parentElement);
            const large = parseFloat(s.fontSize) >= (s.fontWeight < 700 ? 24 : 18.66); // 18 and 14 points
            const box = [s.backgroundColor, s.backgroundImage, s.opacity, s.textDecorationLine, s.textShadow, s.filter,
                s.mixBlendMode].join();
            looks.set(node, {
                inline: s.display === "inline", size: s.fontSize, text: [s.color, s.fontWeight, large].join(),
                ground: box === "rgba(0, 0, 0, 0),none,1,none,none,none,normal" ? ground : `${ground}/${box}`,
            });
        }
        return looks.get(node);
    };
    const around = (node) => (look(node.parentElement).inline ? around(node.parentElement) : look(node.parentElement));
    const whole = (node) => {
        const { text, ground, size } = look(node);
        if (!node.matches("a[href]")) return `${text} ${ground}`;
        const block = around(node);
        return `${text} ${ground} in ${block.text} ${size === block.size}`;
    };
    const kind = (node) => {
        if (node.matches("input, select, textarea, button")) return "control";
        const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        return `${node.matches("a[href]") ? "link" : ""}${text ? "text" : ""}`;
    };
    const visible = (node) => {
        const { width, height, right } = node.getBoundingClientRect();
        return width && height && right > 0 && node.checkVisibility({ visibilityProperty: true });
    };
    for (const [number, node] of document.querySelectorAll("body *").entries()) {
        const where = node.closest(".bb-widget") ? `${location.href} ${number}` : "";
        const what = kind(node), key = what && `${where} ${what} ${whole(node)}`;
        const unchecked = Boolean(what && visible(node) && !checked.has(key));
        node.toggleAttribute("data-unchecked", unchecked);
        if (unchecked) checked.add(key), fresh.push(key);
    }
    return JSON.stringify(fresh); // one text goes over faster than many
}"""
# Over a third of a page's elements are words of code, bare spans of a class. The second with the same classes on it and
# all around it can differ from the first in no theme and at no width.
UNWRAP_SAME_WORDS = """() => {
    const seen = new Set(), chains = new Map();
    const chain = (node) => {
        if (!node) return "";
        if (!chains.has(node)) chains.set(node, `${chain(node.parentElement)}/${node.tagName}.${node.className}`);
        return chains.get(node);
    };
    for (const word of document.querySelectorAll("pre span")) {
        if (word.firstElementChild || word.getAttributeNames().join() !== "class") continue;
        if (seen.has(chain(word))) word.replaceWith(...word.childNodes);
        else seen.add(chain(word));
    }
    for (const code of document.querySelectorAll("pre")) code.normalize();
}"""
# What could be found but not be serious is not asked: half the time went into that.
MINOR = ["empty-table-header"]  # axe calls it minor; who listens to a table hears it at each cell
COLORS = {"runOnly": {"type": "rule", "values": COLOR_RULES}}
STRUCTURE = {"rules": {name: {"enabled": False} for name in COLOR_RULES}}
RUN_AXE = """async ([options, minor]) => {
    const rules = { "color-contrast": "[data-unchecked]", "link-in-text-block": "a[href][data-unchecked]" };
    const asked = ({ id, impact }) => ["serious", "critical"].includes(impact) || minor.includes(id);
    const small = axe._audit.rules.filter((rule) => !asked(rule));
    if (axe._audit.rules.length - small.length < 50) throw new Error("axe says impacts otherwise: few rules are asked");
    axe.configure({ rules: [
        ...Object.entries(rules).map(([id, selector]) => ({ id, selector })),
        ...small.map(({ id }) => ({ id, enabled: false })),
    ] });
    return (await axe.run(document, options)).violations;
}"""


UNTIL = """async (arg) => {
    const asked = %s, end = performance.now() + 20_000;
    while (!asked(arg)) {
        if (performance.now() > end) throw new Error(`never: ${asked} of ${JSON.stringify(arg)}`);
        await new Promise(requestAnimationFrame);
    }
}"""


def until(page, asked, arg=None):
    """Wait until a function of the page says yes.

    Playwright's own `wait_for_function` makes code of text at each try, which the policy of the book's pages forbids.
    """
    page.evaluate(UNTIL % asked, arg)


def unwrap_same_words(page):
    """Leave of the words of code on the page one of each kind, so that axe is done in half the time."""
    page.evaluate(UNWRAP_SAME_WORDS)


def assert_accessible(page, checked=None):
    """Assert that axe finds nothing serious or critical on the whole page, in light and dark.

    `checked` is as `assert_colors` has it.
    """
    assert_colors(page, set() if checked is None else checked, and_structure=True)


def assert_structure(page):
    """Assert what does not depend on colors: names, roles, order, language."""
    assert_no_violation(page, STRUCTURE)


def assert_colors(page, checked, and_structure=False):
    """Assert, light and dark, that text can be told from its background and links from the text around them.

    What is in `checked` is not looked at again, at another width or on another page; what is looked at is added.
    With the structure of the page, which has no theme, axe looks through it once less.
    """
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for theme in THEMES if dark else reversed(THEMES):  # it ends in the theme in which it began
        page.emulate_media(color_scheme=theme)
        until(page, "(theme) => (document.documentElement.dataset.theme ?? theme) === theme", theme)
        known = [look for look in checked if look.startswith((" ", f"{page.url} "))]
        fresh = json.loads(page.evaluate(MARK_UNCHECKED, json.dumps(known)))
        if and_structure or fresh:
            assert_no_violation(page, ({} if fresh else STRUCTURE) if and_structure else COLORS)
        and_structure = False
        checked.update(fresh)


def assert_no_violation(page, options):
    """Assert that axe finds nothing serious or critical, and nothing of `MINOR`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # Without `preload`: axe would fetch style sheets again, by addresses that it misreads.
    found = page.evaluate(RUN_AXE, [{"resultTypes": ["violations"], "preload": False} | options, MINOR])
    serious = [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in found
        if violation["impact"] in ("serious", "critical") or violation["id"] in MINOR
        for node in violation["nodes"]
        if not NOT_OURS.get(violation["id"], set()).issuperset(node["target"])
    ]
    assert serious == []


ICON = re.compile("[\ue000-\uf8ff]")  # letters for private use
WORD = re.compile(r"[^\W\d_]{3,}")
# What a reader can act on, and what is looked for by its name.
NAMED = {"button", "link", "DisclosureTriangle", "radio", "checkbox", "slider", "combobox", "textbox"}


def heard(page) -> list[dict]:
    """Return what the browser tells a screen reader: a node's role, name, description, ancestors and words."""
    session = page.context.new_cdp_session(page)
    nodes = {node["nodeId"]: node for node in session.send("Accessibility.getFullAXTree")["nodes"]}
    session.detach()
    found = []

    def walk(node, above):
        role, name, told = (node.get(key, {}).get("value", "") for key in ("role", "name", "description"))
        one = {"role": role, "name": name, "told": told, "above": above, "words": "", "level": level(node)}
        if not node["ignored"]:
            found.append(one)
        if role == "StaticText":
            for other in [one, *above]:
                other["words"] += f"{name} "
            return
        for child in node.get("childIds", []):
            if child in nodes:
                walk(nodes[child], above if node["ignored"] else [*above, one])

    walk(next(iter(nodes.values())), [])
    return found


def level(node) -> int | None:
    """Return the level of a heading."""
    return next((one["value"]["value"] for one in node.get("properties", []) if one["name"] == "level"), None)


def assert_heard(page):
    """Assert that who listens to the page hears each thing once, and by what it says to those who see it."""
    nodes = heard(page)
    assert [one["name"] for one in nodes if ICON.search(one["name"])] == []
    images = [(one["name"], one["told"], one["above"][-1:]) for one in nodes if one["role"] == "image"]
    assert [(above, name) for name, told, above in images if not name or told == name] == []
    named = [one for one in nodes if one["role"] in NAMED]
    assert [one for one in named if not one["name"]] == []
    # What is shown stands in the name: whoever speaks to the page says what is there.
    shown = [(said(one["name"]), said(one["words"])) for one in named if one["role"] != "textbox"]
    assert [(name, words) for name, words in shown if not set(words) <= set(name)] == []
    assert [one["name"] for one in named if one["told"] and one["told"] in one["name"]] == []
    # Words around a button that are its name would be read twice.
    around = [(one, one["above"][-1]["words"]) for one in named if one["role"] in ("button", "link")]
    named_by = [one for one, words in around if said(one["words"]) != said(one["name"]) == said(words)]
    assert [(one["role"], one["name"]) for one in named_by] == []
    rows = [one for one in nodes if one["role"] == "row"]
    assert [one["above"][-1] for one in rows if not one["words"].strip()] == []
    captions = {" ".join(said(one["words"])) for one in nodes if one["role"] == "Figcaption"} - {""}
    again = [one for one in nodes if one["role"] not in ("Figcaption", "StaticText", "figure")]
    assert [one["name"] for one in again if " ".join(said(one["name"])) in captions] == []
    landmarks = [one["name"] for one in nodes if one["role"] == "navigation"]
    assert len(set(landmarks)) == len(landmarks)
    assert "" not in landmarks
    inside = [(one, {other["role"]: other for other in one["above"]}) for one in nodes]
    assert [one for one, above in inside if "LabelText" in above and one["role"] in ("image", "status")] == []
    levels = [one["level"] for one, above in inside if one["role"] == "heading" and "article" in above]
    assert levels[:1] == [1]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


def said(text) -> list[str]:
    """Return the words of a text as a voice says them, without the key beside the search."""
    return [word for word in WORD.findall(text.casefold()) if word != "ctrl"]


VISIBLE = """
    const drawn = (n) => n.checkVisibility() && !(n instanceof SVGElement && !n.getClientRects().length);
    const seen = [...root.querySelectorAll("*")].filter((n) => drawn(n) && !n.closest(".bb-hidden"));
"""
# What of a widget sticks out, and which of its targets and texts are too small.
MISFITS = f"""(root) => {{
    {VISIBLE}
    const own = root.getBoundingClientRect();
    const still = seen.filter((n) => !n.closest(".bb-numbers")); // a table that is wide scrolls in itself
    const sticksOut = (box) => box.left < own.left - 0.5 || box.right > own.right + 0.5;
    const spills = (node) => node.scrollWidth > node.clientWidth + 1 && !node.matches("input, select, span, svg *");
    const small = ({{ width, height }}) => width < {SMALLEST_TARGET} || height < {SMALLEST_TARGET};
    const hasText = (n) => n.matches("input, select") || [...n.childNodes].some((child) => child.nodeType === 3);
    const size = (n) => parseFloat(getComputedStyle(n).fontSize);
    const said = (what, nodes) => nodes.map((node) => `${{what}}: ${{node.outerHTML}}`);
    return [
        ...said("too wide", still.filter((n) => sticksOut(n.getBoundingClientRect()) || spills(n))),
        ...said("too small a target", seen.filter((n) => n.matches("button, select, input, [tabindex]"))
            .filter((n) => small(n.getBoundingClientRect()))),
        ...said("too small a text", seen.filter((n) => hasText(n) && size(n) < {SMALLEST_TEXT})),
    ];
}}"""
ALL_MISFITS = f"() => [...document.querySelectorAll('.bb-widget')].flatMap({MISFITS})"


def assert_fits(root):
    """Assert that in the widget `root` nothing sticks out, and that text and targets are large enough."""
    assert root.evaluate(MISFITS) == []


# Waits until what a reader has just done is painted.
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FRAMES = """async (count) => {
    for (; count; count--) await new Promise(requestAnimationFrame);
}"""


# Does what a reader would, without the pointer, which Playwright lets wait for two frames before each click. `acts` are
# [selector, value, acts...]: each element found is pressed, or set to the value, or gets "key ..."; then follow the
# acts behind it. "button|More" are the buttons that show this text.
JUMPS = """async (root, acts) => {
    const frame = () => new Promise(requestAnimationFrame); // a figure paints at the next; ours follows in it
    const height = () => root.getBoundingClientRect().height;
    const first = height(), jumps = [];
    const look = (done) => { if (height() !== first) jumps.push(`${done}: ${height()} px, not ${first}`); };
    const find = (selector) => {
        const [css, text] = selector.split("|");
        const found = [...root.querySelectorAll(css)].filter((node) => !text || node.textContent.trim() === text);
        if (!found.length) throw new Error(`there is no ${selector}`);
        return found.filter((node) => !node.disabled && node.checkVisibility({ visibilityProperty: true }));
    };
    const act = (node, value) => {
        if (value === null) return node.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
        if (value.startsWith("key ")) {
            node.focus();
            return node.dispatchEvent(new KeyboardEvent("keydown", { key: value.slice(4), bubbles: true }));
        }
        node.value = value;
        for (const kind of ["input", "change"]) node.dispatchEvent(new Event(kind, { bubbles: true }));
    };
    const go = async (acts) => {
        for (const [selector, value, ...then] of acts)
            for (let i = 0; i < find(selector).length; i++) {
                act(find(selector)[i], value);
                await frame();
                look(`${selector} ${i} ${value}`);
                await go(then);
            }
    };
    await go(acts);
    await frame();
    look("a frame later");
    return jumps;
}"""


# One key several times within a frame, as a fast hand or a slow computer has it.
KEYS = """(node, keys) => {
    for (const key of keys) node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""


def jumps(page, acts):
    """Return where the height of the page's widget changes while `acts` are done, as JUMPS says."""
    return page.locator(".bb-widget").first.evaluate(JUMPS, acts)


def unfold(page, opened=True):
    """Open all folds of the page's widgets, or close them."""
    page.locator("details").evaluate_all("(folds, open) => folds.forEach((fold) => (fold.open = open))", opened)
    page.evaluate(FRAMES, 3)


def said_by_both(page) -> str:
    """Return the sentence of a figure that stands twice on the page, and assert that both say it."""
    page.evaluate(FRAME)
    first, second = page.locator(".bb-says").all_inner_texts()
    assert first == second
    return first


SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def number(text) -> float:
    """Read a number as a figure prints it: "−1.50", "3.2×10⁻⁸", "10⁻⁵", "×0.2", "60,000", "12 %", "2.4 M"."""
    plain = text.strip().rstrip(" %M").lstrip("×").replace("−", "-").replace(",", "")
    digits, power = re.fullmatch(r"(.*?)(?:×?10([⁻⁰¹²³⁴-⁹]+))?", plain).groups()
    return float(f"{digits or 1}e{(power or '0').translate(SUPERSCRIPTS)}")


def overlaps(page, first, second):
    """Return the texts of those in sight among the elements `first` that lie on one of `second`."""
    return page.evaluate(
        """([first, second]) => {
            const seen = (all) => [...document.querySelectorAll(all)].filter((n) => n.checkVisibility());
            const boxes = seen(second).map((n) => n.getBoundingClientRect());
            const meet = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
            return seen(first).filter((n) => boxes.some((box) => meet(n.getBoundingClientRect(), box)))
                .map((n) => n.textContent);
        }""",
        [first, second],
    )


def swipe(page, node, right=0, down=0):
    """Draw a finger so many pixels over a page that has touch, from the middle of a node."""
    box = node.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    places = [{"x": x + right * step / 10, "y": y + down * step / 10} for step in range(11)]
    for kind, points in [("touchStart", places[:1]), *(("touchMove", [at]) for at in places[1:]), ("touchEnd", [])]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.evaluate(FRAMES, 1)
    session.detach()
    page.evaluate(FRAMES, 2)


# What is on its way, as the list of pages that goes aside, makes room for widgets only at its end.
RESIZED = f"""async (width) => {{
    await ({UNTIL % "(width) => innerWidth === width"})(width);
    document.getAnimations().forEach((animation) => animation.finish());
    await ({FRAMES})(4);
}}"""


def resize(page, width):
    """Make the window of the page this wide, and wait until widgets have heard of it and are drawn again."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(RESIZED, width)


# Keeps of each canvas the words on it, with the boxes in which they lie, in CSS pixels from its corner.
HEAR_WORDS = """() => {
    if (window.canvasWords) return;
    window.canvasWords = new Map();
    const context = CanvasRenderingContext2D.prototype, { fillText, clearRect } = context;
    context.clearRect = function (...box) {
        canvasWords.set(this.canvas, []);
        clearRect.apply(this, box);
    };
    context.fillText = function (text, x, y, most = Infinity) {
        const size = this.measureText(text), squeeze = Math.min(1, most / size.width);
        const scale = this.canvas.width / this.canvas.clientWidth, at = this.getTransform();
        const place = (right, down) => at.transformPoint({ x: x + squeeze * right, y: y + down });
        const first = place(-size.actualBoundingBoxLeft, -size.actualBoundingBoxAscent);
        const last = place(size.actualBoundingBoxRight, size.actualBoundingBoxDescent);
        const [left, top, right, bottom] = [first.x, first.y, last.x, last.y].map((one) => one / scale);
        canvasWords.get(this.canvas)?.push({ text: String(text), left, top, right, bottom });
        fillText.call(this, text, x, y, ...(most < Infinity ? [most] : []));
    };
}"""
CUT_WORDS = """(root) => [...root.querySelectorAll("canvas")].flatMap((canvas) => {
    const { clientWidth: wide, clientHeight: tall } = canvas;
    const cut = ({ left, top, right, bottom }) => left < -1 || top < -1 || right > wide + 1 || bottom > tall + 1;
    return (canvasWords.get(canvas) ?? []).filter(cut);
})"""
# The words that an invitation hides, on the page, in drawings and on canvases. What is not seen yet it may hide.
HIDDEN_WORDS = f"""(root) => {{
    {VISIBLE}
    const invitation = seen.find((n) => n.matches(".bb-invite"));
    if (!invitation) return [];
    const own = invitation.getBoundingClientRect(), words = [];
    for (const node of seen) {{
        if (node === invitation || getComputedStyle(node).visibility === "hidden") continue;
        const box = node.getBoundingClientRect();
        for (const {{ text, ...at }} of window.canvasWords?.get(node) ?? [])
            words.push([text, box.left + at.left, box.top + at.top, box.left + at.right, box.top + at.bottom]);
        for (const child of node.childNodes) {{
            if (child.nodeType !== 3 || !child.data.trim()) continue;
            const range = document.createRange();
            range.selectNodeContents(child);
            for (const {{ left, top, right, bottom }} of range.getClientRects())
                words.push([child.data, left, top, right, bottom]);
        }}
    }}
    return words.filter(([, left, top, right, bottom]) =>
        left < own.right - 1 && right > own.left + 1 && top < own.bottom - 1 && bottom > own.top + 1);
}}"""

# Paints all figures once more, for HEAR_WORDS: they listen to the theme.
PAINT_AGAIN = "(document.documentElement.dataset.theme += '')"
# Makes invitations transparent, and gives for each picture on which one lies the box of the picture and of both.
LIFT_INVITATION = f"""(root) => {{
    {VISIBLE}
    const invitation = seen.find((n) => n.matches(".bb-invite"));
    if (!invitation) return [];
    invitation.style.opacity = 0;
    const own = invitation.getBoundingClientRect(), {{ left: x, top: y }} = root.getBoundingClientRect();
    const box = ({{ left, top, right, bottom }}) => [left - x, top - y, right - x, bottom - y];
    const both = (at) => ({{
        left: Math.max(at.left, own.left), right: Math.min(at.right, own.right),
        top: Math.max(at.top, own.top), bottom: Math.min(at.bottom, own.bottom),
    }});
    return seen.filter((n) => n.matches("svg, canvas, img")).map((n) => n.getBoundingClientRect())
        .map((at) => [at, both(at)]).filter(([, {{ left, right, top, bottom }}]) => left < right && top < bottom)
        .map((boxes) => boxes.map(box));
}}"""
GROUND = """() => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""
MOST_HIDDEN = 1 / 8  # of what a picture shows


def assert_invitations(page):
    """Assert that no invitation hides a word, or more of a picture than a corner that can wait."""
    page.evaluate(HEAR_WORDS)
    page.evaluate(PAINT_AGAIN)
    page.evaluate(FRAMES, 3)
    ground = page.evaluate(GROUND)
    for root in page.locator(".bb-widget:has(.bb-invite)").all():
        assert root.evaluate(HIDDEN_WORDS) == []
        boxes = np.rint(root.evaluate(LIFT_INVITATION)).astype(int).clip(0)
        ink = np.abs(np.asarray(Image.open(io.BytesIO(root.screenshot())).convert("RGB"), int) - ground).max(2) > 24
        for picture in boxes:
            whole, hidden = (ink[top:bottom, left:right].sum() for left, top, right, bottom in picture)
            assert hidden <= MOST_HIDDEN * whole, f"{root.get_attribute('class')}: {hidden / whole:.0%} of a picture"
        root.locator(".bb-invite").first.evaluate("(node) => (node.style.opacity = '')")


def assert_figure(page, wide=560, narrow=640):
    """Assert what makes a widget a figure: it fits on a screen, folds are closed at first, and words say what is seen.

    `wide` and `narrow` are the most pixels of height beside the text of a page and on a phone; a reader then sees the
    handle and what answers it together. A figure that may be higher says why where it asks for it.
    """
    root = page.locator(".bb-widget").first
    page.evaluate(HEAR_WORDS)
    resize(page, 719)
    for width, most in ((720, wide), (360, narrow)):
        resize(page, width)
        height = root.bounding_box()["height"]
        assert height <= most, f"{height:.0f} px tall at {width}"
        assert_fits(root)
        assert root.evaluate(CUT_WORDS) == []
        assert root.evaluate(HIDDEN_WORDS) == []
    assert root.locator("input[type=range][aria-valuetext='']").count() == 0
    assert root.locator("details[open]").count() == 0
    says = root.locator(".bb-says[role=status]")
    assert says.count() == 1
    assert says.is_visible()
    assert says.inner_text().strip()


def assert_sound(page):
    """Assert, wide and narrow, that the widgets of the page fit and that it is accessible, light and dark."""
    checked = set()
    for width in WIDTHS:
        resize(page, width)
        assert page.evaluate(ALL_MISFITS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(page, checked)


def assert_whole(page, *acts, then=(), widths=(720, 360, 320)):
    """Assert what no figure may lack: it is one, it is sound with its folds open, and nothing jumps or sticks out.

    `acts`, as JUMPS knows them, are done at each of the widths, and `then` at the last: what can be done but once.
    """
    assert_figure(page)
    unfold(page)
    assert_sound(page)
    unfold(page, False)
    for width in widths:
        resize(page, width)
        assert jumps(page, list(acts)) == []
        assert_fits(page.locator(".bb-widget").first)
    assert jumps(page, list(then)) == []
