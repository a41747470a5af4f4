"""Explorers on a page for the tests of the widgets."""

import pytest
from explorer_screen import CHAPTER, Screen, explorer


@pytest.fixture
def chapter(open_page):
    """The explorer of the chapter, on the site."""
    return Screen(open_page(CHAPTER), explorer())


@pytest.fixture
def screen(page_with):
    """The same explorer, alone on a page."""
    made = explorer()
    return Screen(page_with(made, width=720), made)
