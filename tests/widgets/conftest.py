"""Explorers on a page for the tests of the widgets."""

import pytest
from explorer_screen import CHAPTER, Screen, explorer

IMPORT = """async (source) => {
    window.m = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
}"""


@pytest.fixture(scope="module")
def module_of(tabs):
    """Given a module's source, such as a widget's ``_esm``, import it as ``m`` into a page; return its evaluate.

    The page is empty again before each import.
    """
    with tabs() as tab:

        def imported(source):
            tab.page.goto("about:blank")
            tab.page.evaluate(IMPORT, source)
            return tab.page.evaluate

        yield imported


@pytest.fixture
def chapter(open_page):
    """The explorer of the chapter, on the site."""
    return Screen(open_page(CHAPTER), explorer(kernel="sobel_x"))


@pytest.fixture
def screen(page_with):
    """The same explorer, alone on a page."""
    made = explorer()
    return Screen(page_with(made, width=720), made)
