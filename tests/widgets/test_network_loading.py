"""How a figure comes by its network: once a page, over http and from a folder, under tight policies, or not at all."""

import re

import numpy as np
import pytest

from backbone.widgets import BlockExplorer

POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'{}; style-src 'unsafe-inline' 'self'; "
    "img-src data:; font-src 'self'"
)
STATUS = ".bb-network [role=status]"


@pytest.fixture
def made(imagenet):
    """A figure whose records are made up: only what the network says counts here."""
    shape = (len(imagenet.photos), 1000)
    cases = ["", *(f"{n} {part}" for n in (2, 4, 6, 7, 9, 10, 12, 13, 14) for part in ("branch", "skip"))]
    recorded = {case: np.zeros(shape) for case in cases}
    return BlockExplorer(imagenet.packed, imagenet.photos, imagenet.alts, recorded)


def load(page):
    page.get_by_role("button", name="Load the network").first.click()


def loaded(page, count=1):
    page.wait_for_function(
        "(count) => [...document.querySelectorAll('.bb-network [role=status]')]"
        ".filter((node) => node.textContent.startsWith('The network is loaded')).length === count",
        arg=count,
        timeout=60_000,
    )


def cut_all(page):
    """Ask for what is not recorded, and wait for the answer."""
    page.locator("summary").first.click()
    page.get_by_role("button", name="All shortcuts out").first.click()
    page.wait_for_function(
        "() => document.querySelector('.bb-says').textContent.includes('all nine shortcuts out')", timeout=60_000
    )


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_one_network_serves_all_figures_and_none_comes_unasked(page_with, made, scheme):
    page = page_with(made, views=[made.model_id, made.model_id], scheme=scheme)
    names = (
        "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /weights|eng/.test(name))"
    )
    assert page.evaluate(names) == []
    load(page)
    loaded(page)
    second = page.get_by_role("button", name="Load the network")
    second.click()
    loaded(page, 2)
    assert second.count() == 0
    if scheme == "http":
        assert sum("weights" in name for name in page.evaluate(names)) == 1
    assert page.evaluate("Object.keys(backboneNetworks)") == ["engine"]  # the weights' text is let go
    cut_all(page)


@pytest.mark.parametrize(("allowed", "said"), [(" 'wasm-unsafe-eval'", "The network is loaded."), ("", "WebAssembly")])
def test_it_lives_under_a_tight_policy(page_with, made, tmp_path, allowed, said):
    page = page_with(made)
    policy = {"Content-Security-Policy": POLICY.format(allowed)}
    page.route(re.compile(r"\.(html|js)$"), lambda route: route.fulfill(response=route.fetch(), headers=policy))
    page.reload()
    load(page)
    loaded(page)
    assert said in page.locator(STATUS).inner_text()
    cut_all(page)


@pytest.mark.parametrize(
    ("harm", "said", "expected"),
    [
        (None, "The network’s file did not come.", []),
        (lambda text: text[: len(text) // 2], "What came is not the whole network.", ["Invalid or unexpected token"]),
        (lambda text: f"{text[:400_000]}AAAA{text[400_004:]}", "What came is not the whole network.", []),
    ],
    ids=["missing", "cut off", "altered"],
)
def test_what_goes_wrong_is_said_and_can_be_tried_again(page_with, made, tmp_path, harm, said, expected):
    page = page_with(made, expected=expected)
    weights = (tmp_path / "weights.js").read_text("utf-8")
    if harm is None:
        page.route("**/weights.js*", lambda route: route.abort("aborted"))
    else:
        (tmp_path / "weights.js").write_text(harm(weights), "utf-8")
    load(page)
    page.wait_for_function(
        "(said) => document.querySelector('.bb-network [role=status]').textContent.startsWith(said)", arg=said
    )
    page.unroute_all()
    (tmp_path / "weights.js").write_text(weights, "utf-8")
    load(page)
    loaded(page)


def test_a_kernel_that_stays_silent_is_named_after_a_minute(page_with, made):
    page = page_with(made)
    page.clock.install()
    try:
        page.route("**/weights.js*", lambda route: None)  # nobody answers
        load(page)
        page.clock.fast_forward(59_000)
        assert page.locator(STATUS).inner_text() == "Loading …"
        page.clock.fast_forward(2_000)
        silent = "The notebook’s kernel does not"
        page.wait_for_function(
            "(said) => document.querySelector('.bb-network [role=status]').textContent.startsWith(said)", arg=silent
        )
        page.unroute_all()
        load(page)
        loaded(page)
    finally:
        page.context.close()  # its clock would stay, for whoever comes next


def test_the_focus_stays_where_the_button_was(page_with, made):
    page = page_with(made)
    page.route("**/engine.js", lambda route: route.abort("aborted"))
    start = page.get_by_role("button", name="Load the network")
    start.press("Enter")
    page.wait_for_function("document.querySelector('.bb-network [role=status]').textContent.startsWith('The network')")
    assert start.evaluate("(node) => node === document.activeElement")
    page.unroute_all()
    start.press("Enter")
    loaded(page)
    assert page.locator(STATUS).evaluate("(node) => node === document.activeElement")
