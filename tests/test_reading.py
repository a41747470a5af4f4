"""What a page remembers for its reader: answers to quick questions, and where the reader stopped."""

import json
import re

import pytest
import questions
from page_checks import assert_colors, assert_structure, until

KEY = "backbone reading"
DROPOUT = "chapters/dropout.html"

RIGHT = ["- [ ] 9", "  One channel alone.", "- [x] 27", "  Three channels", "  of 3 × 3."]


def test_a_question_is_read_with_its_reasons():
    assert questions.answers(RIGHT) == [
        questions.Answer(False, "9", "One channel alone."),
        questions.Answer(True, "27", "Three channels of 3 × 3."),
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["9"], "'9' is no answer; write `- [ ] answer`"),
        (RIGHT[:2], "it has 1 answers; give 2 to 5"),
        (RIGHT * 2, "exactly one answer must be right"),
        ([RIGHT[0].replace("9", "$3^2$"), *RIGHT[1:]], "'$3^2$' is a formula alone, so its button has no name"),
        (RIGHT[:1] + RIGHT[2:], "say why, in an indented line below: '9'"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(lines, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        questions.answers(lines)


@pytest.fixture
def quiz(open_page):
    """The section with the quick questions of a chapter, which wait for no figure."""
    return open_page(DROPOUT, settled=False).locator("section:has(> .bb-question)")


def shown(quiz):
    return quiz.locator(".bb-question:not([hidden])")


def answer(quiz, kind):
    """Press the first right or wrong answer of the question that is shown."""
    shown(quiz).locator(f"li.bb-{kind} button").first.click()


def test_an_answer_says_why_it_is_right_or_wrong(quiz):
    said = shown(quiz).get_by_role("status")
    assert said.inner_text() == ""
    assert not quiz.locator(".bb-why").first.is_visible()
    answer(quiz, "wrong")
    assert said.inner_text().startswith("Not this one.")
    answer(quiz, "right")
    assert said.inner_text().startswith("Right.")
    assert quiz.locator("[aria-pressed=true]").count() == 1
    assert re.fullmatch(r"1 of \d right", quiz.locator(".bb-score").inner_text())
    assert_structure(quiz.page)


def test_answers_are_there_again_until_they_are_forgotten(quiz):
    first = shown(quiz).get_attribute("id")
    answer(quiz, "right")
    quiz.page.reload()
    assert shown(quiz).get_attribute("id") != first  # the first that is not answered
    quiz.get_by_role("button", name="Previous question").click()
    assert shown(quiz).get_by_role("status").inner_text().startswith("Right.")
    quiz.get_by_role("button", name="Forget my answers").click()
    assert shown(quiz).get_by_role("status").inner_text() == ""
    assert quiz.page.evaluate("(key) => JSON.parse(localStorage.getItem(key)).answers", KEY) == {}
    assert not quiz.get_by_role("button", name="Forget my answers").is_visible()


def store(page, stored):
    page.evaluate("([key, stored]) => localStorage.setItem(key, stored)", [KEY, stored])


def go(page, server, path):
    """Go to a page of the book, and wait for its own scripts alone, which know what it remembers."""
    page.goto(f"{server.url}/{path}", wait_until="domcontentloaded")


def test_a_stored_answer_that_is_none_counts_as_not_given(quiz):
    first = shown(quiz).get_attribute("id")
    for kept in ("length", "0", -1, 1.5, 99, None, {}):
        store(quiz.page, json.dumps({"answers": {first: kept}}))
        quiz.page.reload(wait_until="domcontentloaded")
        assert shown(quiz).get_attribute("id") == first, kept
        assert quiz.locator("[aria-pressed=true]").count() == 0, kept


def test_one_question_is_shown_and_a_link_leads_to_any(quiz):
    boxes = quiz.locator(".bb-question")
    assert shown(quiz).count() == 1
    last = boxes.last.get_attribute("id")
    quiz.page.evaluate("(id) => (location.hash = id)", last)
    until(quiz.page, "(id) => !document.getElementById(id).hidden", last)
    assert quiz.get_by_role("button", name="Next question").is_disabled()
    assert quiz.locator(".bb-quiz span").first.inner_text() == f"Question {boxes.count()} of {boxes.count()}"


def test_on_paper_all_questions_stand_with_their_answers(quiz):
    quiz.page.evaluate("dispatchEvent(new Event('beforeprint'))")  # the reasons go to the page's end
    quiz.page.emulate_media(media="print")
    assert all(box.is_visible() for box in quiz.page.locator(".bb-question, .bb-why").all())


def stopped_at(page, anchor):
    """Read a chapter down to a section, and go to the front page."""
    page.locator(f"#{anchor}").evaluate("(node) => node.scrollIntoView({ behavior: 'instant' })")
    page.goto(re.sub(r"chapters/.*", "intro.html", page.url))


def test_the_front_page_leads_back_to_where_the_reader_stopped(open_page):
    page = open_page(DROPOUT)
    stopped_at(page, "where-to-put-it")
    links = page.locator("a.bb-start")
    assert links.all_inner_texts() == ["Go on in Dropout: Where to put it", "Start"]
    filled = links.evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).backgroundColor !== 'rgba(0, 0, 0, 0)')"
    )
    assert filled == [True, False]
    assert_colors(page, set())
    links.first.click()
    page.wait_for_url("**/chapters/dropout.html#where-to-put-it*")


def test_on_a_phone_what_one_can_press_there_does_not_touch(open_page):
    page = open_page(DROPOUT, width=390)
    stopped_at(page, "against-weight-decay-and-early-stopping")
    on, start = (link.bounding_box() for link in page.locator("a.bb-start").all())
    assert start["y"] - on["y"] - on["height"] >= 8


def test_what_was_read_is_forgotten_when_the_reader_asks(open_page):
    page = open_page(DROPOUT)
    stopped_at(page, "where-to-put-it")
    page.get_by_role("button", name="Forget what I read").click()
    assert page.locator(".bb-go-on").inner_text() == "What you read and answered is forgotten. Undo"
    assert page.evaluate("(key) => localStorage.getItem(key)", KEY) is None
    assert page.locator("a.bb-start").all_inner_texts() == ["Start"]
    page.reload()
    assert page.locator(".bb-go-on").count() == 0


def test_what_is_forgotten_comes_back_when_the_reader_asks(open_page):
    page = open_page(DROPOUT)
    stopped_at(page, "where-to-put-it")
    kept = page.evaluate("(key) => localStorage.getItem(key)", KEY)
    for _ in range(2):
        page.get_by_role("button", name="Forget what I read").click()
        page.get_by_role("button", name="Undo").click()
    assert page.evaluate("(key) => localStorage.getItem(key)", KEY) == kept
    assert page.locator("a.bb-start").all_inner_texts() == ["Go on in Dropout: Where to put it", "Start"]
    assert page.locator(".bb-go-on").count() == 1


PLAIN = "references.html"  # a page that stores nothing
ATTACKS = [
    {"place": {"page": "javascript:alert(1)", "anchor": "x", "title": "x"}},
    {"place": {"page": "//example.org/chapters/x.html", "anchor": "x", "title": "x"}},
    {"place": {"page": "chapters/../../x.html", "anchor": "x", "title": "x"}},
]


PARAGRAPH = "document.querySelectorAll('#against-weight-decay-and-early-stopping > p')[2]"
FROM_TOP = f"{PARAGRAPH}.getBoundingClientRect().top"


@pytest.mark.parametrize(("width", "other"), [(1280, 390), (390, 1280)])
def test_one_goes_on_at_the_paragraph_that_was_read_also_at_another_width(open_page, width, other):
    page = open_page(DROPOUT, width=width)
    page.evaluate(f"{PARAGRAPH}.scrollIntoView({{ behavior: 'instant' }})")
    page.evaluate("scrollBy({ top: 20, behavior: 'instant' })")
    page.goto(re.sub(r"chapters/.*", "intro.html", page.url))
    page.set_viewport_size({"width": other, "height": 844})
    page.locator("a.bb-start").first.click()
    page.wait_for_url("**/chapters/dropout.html#against-*")
    until(page, f"() => Math.abs({FROM_TOP} - 64) < 9")


def test_a_stored_paragraph_that_is_none_leads_to_the_section(open_page, server):
    page, led = open_page(PLAIN), set()
    for block in (-1, 0, 1.5, 9999, None, "length", {}):
        place = {"page": DROPOUT, "anchor": "where-to-put-it", "block": block, "title": "Dropout", "section": "Where"}
        go(page, server, PLAIN)
        store(page, json.dumps({"place": place}))
        go(page, server, "intro.html")
        link = page.locator("a.bb-start").first
        assert link.inner_text().startswith("Go on")
        if (address := link.get_attribute("href")) in led:
            continue
        led.add(address)
        link.click()
        page.wait_for_url("**/chapters/dropout.html#where-to-put-it*")
        top = "document.querySelector('#where-to-put-it').getBoundingClientRect().top"
        until(page, f"(block) => Math.abs({top} - 64) < 9", block)


# In a section the number of its first child that a selector finds.
NUMBER = "([id, selector]) => [...document.getElementById(id).children].findIndex((one) => one.matches(selector))"


def test_whoever_stopped_at_an_answer_finds_it_closed(open_page):
    page = open_page(DROPOUT)
    section, answer = page.evaluate(
        "() => { const one = document.querySelector('section[id] > .admonition.dropdown');"
        "one.id = 'answer'; return [one.parentElement.id, one.id]; }"
    )
    number = page.evaluate(NUMBER, [section, f"#{answer}"])
    page.goto(re.sub("#.*", "", page.url) + f"?again#{section}--{number}")
    box = page.locator(f"#{section} > .admonition.dropdown").first
    until(
        page,
        f"() => Math.abs(document.getElementById('{section}').children[{number}].getBoundingClientRect().top - 64) < 9",
    )
    assert "toggle-hidden" in box.get_attribute("class")


def test_whoever_stopped_at_a_question_that_is_answered_is_led_to_the_questions(open_page):
    page = open_page(DROPOUT)
    number = page.evaluate(NUMBER, ["quick-questions", ".bb-question[hidden]"])
    assert number > 0
    page.goto(re.sub("#.*", "", page.url) + f"?again#quick-questions--{number}")
    until(page, "() => Math.abs(document.querySelector('#quick-questions').getBoundingClientRect().top - 64) < 9")


def test_whatever_is_stored_leads_out_of_the_book_nowhere(open_page, server):
    page = open_page(PLAIN)
    for stored in [*map(json.dumps, ATTACKS), "null", "[]", "nonsense", '{"answers": [], "place": 3}']:
        go(page, server, PLAIN)
        store(page, stored)
        go(page, server, "intro.html")
        assert page.locator("a.bb-start").count() == 1, stored
        go(page, server, DROPOUT)
        assert page.locator(".bb-quiz").count() == 1, stored
