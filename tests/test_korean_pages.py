"""Each Korean page in a real browser: alive and whole, with room for its figures, Korean to the last label."""

import re

import korean
import pytest
from page_checks import (
    assert_colors,
    assert_heard,
    assert_invitations,
    assert_structure,
    resize,
    unfold,
    until,
    unwrap_same_words,
)
from test_browser import (
    CHECKED,
    assert_all_there,
    assert_nothing_is_lost,
    assert_printed_whole,
    assert_there_and_light,
    edition_of,
    every_page,
    html,
    misled,
)

from backbone import language

# What a reader meets of figures, tables, questions, captions and buttons, in words and in labels.
SAID = """() => {
    const shown = ".bb-widget, .bb-figure, .bb-table, .bb-report, .bb-question, .bb-quiz, .bb-note, .bb-card";
    const names = ".bb-answer-list:not(.bb-te-shares)"; // ImageNet's classes, as the data has them
    const skipped = `code, pre, script, style, .math, mjx-container, input, [lang=en], ${names}, a[href^=http]`;
    const found = [...(window.canvasWords?.values() ?? [])].flat().map(({ text }) => text);
    for (const root of document.querySelectorAll(`${shown}, button, summary`)) {
        const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (nodes.nextNode())
            if (!nodes.currentNode.parentElement.closest(skipped)) found.push(nodes.currentNode.textContent);
        const labels = ["aria-label", "title", "aria-valuetext", "data-tooltip"];
        for (const node of [root, ...root.querySelectorAll(labels.map((name) => `[${name}]`))])
            if (!node.closest("pre")) for (const name of labels) found.push(node.getAttribute(name) ?? "");
    }
    return [...new Set(found)];
}"""
# Words of drawings that lie outside their frame; those of still figures may reach into the margin.
OUTSIDE = """() => [...document.querySelectorAll(".bb-figure svg text, .bb-widget svg text")].filter((node) => {
    const frame = node.closest(".bb-widget svg") ?? node.closest(".bb-figure");
    const [one, other] = [node, frame].map((node) => node.getBoundingClientRect());
    const most = frame.matches("svg") ? 2 : 10;
    return one.width && other.width && (one.left < other.left - most || one.right > other.right + most);
}).map((node) => node.textContent)"""


# One page of each kind. Of these alone are asked colors, which come of styles that both editions share.
KINDS = ("intro.html", "chapters/dropout.html", "glossary.html", "figures-and-exercises.html")


@every_page
def test_page_is_sound_and_korean(open_page, site, path):
    page = open_page(f"ko/{path}", first=True)
    assert_there_and_light(page, site, f"ko/{path}")
    assert_invitations(page)
    assert_nothing_is_lost(page, widths=(640, 320), spaced=(320,))
    resize(page, 1280)
    assert_korean(page)
    unwrap_same_words(page)
    assert_structure(page)
    assert_heard(page)
    if path in KINDS:
        assert_colors(page, CHECKED)
    assert_printed_whole(page)


@every_page
def test_page_is_sound_and_korean_on_a_dark_phone(open_page, site, path):
    page = open_page(f"ko/{path}", width=360, theme="dark", first=True)
    assert_all_there(page, html(site, f"ko/{path}"), "dark", "--narrow")
    assert_invitations(page)
    assert_korean(page)


def assert_korean(page):
    """Assert that with all folds open every word is Korean, and lies in its drawing."""
    assert edition_of(page) == "ko"
    unfold(page)
    assert [text for text in page.evaluate(SAID) if korean.is_english(text)] == []
    assert page.evaluate(OUTSIDE) == []


@every_page
def test_both_editions_have_the_same_anchors(site, path):
    named = re.compile(r"(?!id\d|question-|term-)")
    places = "article section[id], article [id^=figure-]"
    english, told = ([tag["id"] for tag in html(site, one).select(places)] for one in (path, f"ko/{path}"))
    assert list(filter(named.match, english)) == list(filter(named.match, told))


def test_the_switch_leads_to_the_same_section_and_the_choice_stands_out(open_page):
    page = open_page("chapters/dropout.html")
    top = "document.querySelector('#summary').getBoundingClientRect().top"
    until(page, f"() => (document.querySelector('#summary').scrollIntoView(), Math.abs({top}) < 150)")
    page.locator(".bb-language").evaluate("(link) => link.click()")  # a real one might scroll to it first
    page.wait_for_url("**/ko/chapters/dropout.html#summary")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert not page.locator(".bb-language.bb-chosen").count()
    page.goto(page.url.replace("/ko/", "/"))
    assert page.locator(".bb-language.bb-chosen").inner_text() == "한국어"
    assert page.url.endswith("/chapters/dropout.html#summary")  # nobody is sent anywhere


def test_pages_name_each_other_for_search_engines(site):
    for path in ("chapters/dropout.html", "ko/chapters/dropout.html"):
        links = {tag["hreflang"]: tag["href"] for tag in html(site, path).select("link[hreflang]")}
        assert links["ko"].endswith("/ko/chapters/dropout.html")
        assert links["ko"].replace("/ko/", "/") == links["en"]


def test_a_widget_speaks_korean_when_it_is_used(open_page):
    page = open_page("ko/chapters/dropout.html")
    page.get_by_role("button", name="재생").first.click()
    page.get_by_role("button", name="일시 정지").first.click()
    assert "평균" in page.locator(".bb-do [role=status]").inner_text()
    assert [text for text in page.evaluate(SAID) if korean.is_english(text)] == []


def test_a_class_has_one_name_in_its_field_and_in_the_answers(open_page):
    figure = open_page("ko/chapters/transfer-learning.html").locator(".bb-te")
    fields = figure.locator("input:not([type=radio], [type=file])")
    named = fields.evaluate_all("(all) => all.map((one) => one.value).filter(Boolean)")
    assert named == ["스웨터", "코트"]
    assert figure.locator(".bb-te-shares .bb-answer-name").all_inner_texts()[:2] == named


def test_the_classes_of_imagenet_are_those_of_its_data_in_both_editions(open_page):
    names = [
        open_page(f"{place}chapters/resnet.html").locator(".bb-answer-list .bb-answer-name").all_inner_texts()
        for place in ("", "ko/")
    ]
    assert names[0] == names[1] != []


def test_the_letters_above_the_glossary_are_those_of_a_dictionary(site):
    page = html(site, "ko/glossary.html")
    links = page.select(".bb-letters a")
    letters = {link.get_text() for link in links}
    assert {"ㄱ", "ㅎ", "R"} < letters
    assert letters <= {*"01ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ", *map(chr, range(65, 91))}
    assert all(page.find(id=link["href"][1:]) for link in links)


def test_every_word_that_is_hung_on_is_korean():
    assert all(re.fullmatch("[가-힣]+", ending) for ending in language.endings("ko"))
    assert language.endings("en") == []


# What a reader types, bent as in a sentence, and the section that must come first.
SEARCHES = {
    "합성곱": "convolution",
    "합성곱은": "convolution",
    "합성곱으로": "convolution",
    "교차 상관": "convolution*",
    "스트라이드": "convolution#stride",
    "스트라이드를": "convolution#stride",
    "패딩은": "convolution#stride",
    "팽창 합성곱": "convolution#stride",
    "수용 영역": "convolution#how-far",
    "수용 영역이": "convolution#how-far",
    "수용 필드": "convolution#how-far",
    "최대 풀링": "feature-extraction#max-pooling",
    "최대 풀링에서": "feature-extraction#max-pooling",
    "맥스 풀링": "feature-extraction#max-pooling",
    "소프트맥스": "neural-networks#softmax",
    "교차 엔트로피": "neural-networks#softmax",
    "교차 엔트로피는": "neural-networks#softmax",
    "경사 하강법": "neural-networks#gradient-descent",
    "경사하강법": "neural-networks#gradient-descent",
    "연쇄 법칙": "neural-networks#backpropagation",
    "역전파": "neural-networks#backpropagation",
    "역전파에서": "neural-networks#backpropagation",
    "과적합": "training#overfitting",
    "과적합을": "training#overfitting",
    "과대적합": "training#overfitting",
    "학습률": "training#learning-rate",
    "학습률을": "training#learning-rate",
    "모멘텀": "training#better-steps",
    "가중치 감쇠": "training#overfitting",
    "가중치 감쇠는": "training#overfitting",
    "조기 종료": "dropout#other-ways",
    "드롭아웃": "dropout",
    "드롭아웃은": "dropout",
    "배치 정규화": "batch-normalization",
    "배치 정규화가": "batch-normalization",
    "배치정규화": "batch-normalization",
    "기울기 소실": "vanishing-gradients",
    "기울기 소실이": "vanishing-gradients",
    "기울기 폭발": "vanishing-gradients#gradient-clipping",
    "기울기 클리핑": "vanishing-gradients#gradient-clipping",
    "가중치 초기화": "vanishing-gradients#initialization",
    "죽은 유닛": "vanishing-gradients#not-vanishing",
    "혼동 행렬": "evaluation#confusion-matrix",
    "혼동 행렬에서": "evaluation#confusion-matrix",
    "정밀도": "evaluation#precision-and-recall",
    "재현율은": "evaluation#precision-and-recall",
    "데이터 증강": "data#augmentation",
    "증강으로": "data#augmentation",
    "숏컷 연결": "resnet#skip-connection",
    "지름길 연결": "resnet#skip-connection",
    "스킵 연결이": "resnet#skip-connection",
    "병목 블록": "resnet#bottleneck",
    "잔차 블록": "resnet#residual-block",
    "전이 학습": "transfer-learning",
    "전이 학습으로": "transfer-learning",
    "미세 조정": "transfer-learning#fine-tuning",
    "미세 조정을": "transfer-learning#fine-tuning",
    "전역 평균 풀링": "googlenet#global-average-pooling",
    "레이블 스무딩": "googlenet#label-smoothing",
    "깊이별 분리 합성곱": "googlenet#depthwise-separable",
    "백본": "architectures#the-words",
    "백본이란": "architectures#the-words",
    "특징 피라미드": "architectures#feature-pyramid",
    "relu": "feature-extraction#relu",
    "ReLU는": "feature-extraction#relu",
    "batchnorm": "batch-normalization",
    "gradcam": "googlenet#global-average-pooling",
    "1×1 합성곱": "googlenet#one-by-one",
    "오프라인": "intro#take-it-along",
    "다운로드": "intro#take-it-along",
    "내려받기": "intro#take-it-along",
    "zip": "intro#take-it-along",
    "기차에서": "intro#take-it-along",
}


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_search_leads_first_to_the_section_that_explains_it(open_page, scheme):
    assert misled(open_page("ko/search.html", scheme=scheme), SEARCHES) == {}


def test_a_solution_is_called_as_its_exercise_is(site):
    titles = re.findall(
        r'class="admonition-title">([^<]*해답[^<]*)<', (site / "ko/chapters/dropout.html").read_text("utf-8")
    )
    assert titles[0] == "연습 문제 1 (드롭아웃) 해답"
    assert all(title.startswith("연습 문제 ") for title in titles)
