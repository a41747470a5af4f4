"""What is asked of every page and of every widget: sizes of text and targets, and accessibility."""

from axe_playwright_python.sync_playwright import Axe

SMALLEST_TARGET = 24  # CSS pixels, WCAG 2.2, 2.5.8
SMALLEST_TEXT = 12

# What axe finds in markup that is not ours, each with its reason: rule -> selectors.
NOT_OURS = {
    # docutils writes each bibliography entry with role="doc-biblioentry" into a role="list"; that the role may not
    # stand there is younger than docutils' choice. Screen readers read the entries as paragraphs.
    "aria-required-children": {".citation-list"},
}


def assert_accessible(page):
    """Assert that axe finds nothing serious or critical on the whole page."""
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")  # colors still on their way
    # Without `preload`: axe would fetch style sheets again, by addresses that it misreads.
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    serious = [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
        if not NOT_OURS.get(violation["id"], set()).issuperset(node["target"])
    ]
    assert serious == []


VISIBLE = """
    const seen = [...root.querySelectorAll("*")].filter((n) => n.checkVisibility() && !n.closest(".bb-hidden"));
"""
TOO_WIDE = f"""(root) => {{
    {VISIBLE}
    const own = root.getBoundingClientRect();
    const sticksOut = (box) => box.left < own.left - 0.5 || box.right > own.right + 0.5;
    const spills = (node) => node.scrollWidth > node.clientWidth + 1 && !node.matches("input, select, span, svg *");
    return seen.filter((n) => sticksOut(n.getBoundingClientRect()) || spills(n)).map((n) => n.outerHTML);
}}"""
TOO_SMALL_TARGET = f"""(root, least) => {{
    {VISIBLE}
    return seen.filter((n) => n.matches("button, select, input, [tabindex]"))
        .map((n) => [n.outerHTML, n.getBoundingClientRect()])
        .filter(([, box]) => box.width < least || box.height < least);
}}"""
TOO_SMALL_TEXT = f"""(root, least) => {{
    {VISIBLE}
    const hasText = (n) => n.matches("input, select") || [...n.childNodes].some((child) => child.nodeType === 3);
    const size = (n) => parseFloat(getComputedStyle(n).fontSize);
    return seen.filter((n) => hasText(n) && size(n) < least).map((n) => n.outerHTML);
}}"""


def assert_fits(root):
    """Assert that in the widget `root` nothing sticks out, and that text and targets are large enough."""
    assert root.evaluate(TOO_WIDE) == []
    assert root.evaluate(TOO_SMALL_TARGET, SMALLEST_TARGET) == []
    assert root.evaluate(TOO_SMALL_TEXT, SMALLEST_TEXT) == []
