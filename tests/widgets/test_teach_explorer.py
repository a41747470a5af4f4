"""TeachExplorer: what it takes, its head against NumPy and scikit-learn, its screen with and without the network."""

import base64
import json
import re

import numpy as np
import page_checks
import pytest
import torch
from ipywidgets.embed import dependency_state
from sklearn.linear_model import LogisticRegression
from traitlets import TraitError

from backbone import data
from backbone.pretrained import normalize, read_taught, unit_features
from backbone.probes import Probe
from backbone.widgets import TeachExplorer
from backbone.widgets.base import HERE, join
from backbone.widgets.engine import pixels
from backbone.widgets.teach_explorer import COLORS, SOURCES, framed, png

RNG = np.random.default_rng(0)
KINDS, EACH, FIRST = ("pullover", "coat"), 5, 3
TOOLS = HERE / "teach_explorer"
WIDE = sum(SOURCES.values()) - SOURCES["features"]
CHANNELS_LAST = (0, 2, 3, 1)


@pytest.fixture(scope="module")
def pictures():
    """Return name -> clothes, (5, 28, 28)."""
    clothes = data.fashion_mnist("test")
    at = {name: clothes.labels == clothes.classes.index(name.capitalize()) for name in KINDS}
    return {name: clothes.images[kind][:EACH, 0] for name, kind in at.items()}


@pytest.fixture(scope="module")
def files(pictures):
    return {name: [png(one) for one in some] for name, some in pictures.items()}


def enlarged(some):
    """Return pictures (N, 3, 224, 224) as the page sees them."""
    large = torch.nn.functional.interpolate(some[:, None] / 255, (224, 224), mode="bicubic", antialias=True)
    return large.clamp(0, 1).expand(-1, 3, -1, -1).numpy()


def stages_of(model, pictures):
    """Return source -> (N, numbers): means over all places behind the last block of a stride, at length 1."""
    taps = {f"stride {tap.stride}": tap.name for tap in model.taps if "_blocks" in tap.name and tap.stride > 2}
    with Probe(model, [*taps.values(), "_flatten"]) as probe, torch.no_grad():
        model(normalize("efficientnet_lite0", torch.tensor(pictures)))
    means = {source: probe.activations[tap].mean((2, 3)) for source, tap in taps.items()}
    means["features"] = probe.activations["_flatten"]
    return {source: torch.nn.functional.normalize(mean).numpy() for source, mean in means.items()}


@pytest.fixture(scope="module")
def features(imagenet, pictures):
    """Return source -> (3, 10, numbers)."""
    plain = np.concatenate([enlarged(some) for some in pictures.values()])
    shown = [plain, *(framed(plain, color) for color in COLORS)]
    found = [stages_of(imagenet.model, one) for one in shown]
    return {source: np.stack([one[source] for one in found]) for source in found[0]}


@pytest.fixture
def made(imagenet, files, features):
    return lambda **traits: TeachExplorer(imagenet.packed, files, features, FIRST, **traits)


def trained(x, y, classes, steps=200, rate=3, decay=1e-3):
    """Return weights (K, D) and bias (K,) of a head after full-batch gradient descent, in NumPy."""
    mean, truth = x.mean(0), np.eye(classes)[y]
    size = np.linalg.norm(x - mean, axis=1).max()
    x = (x - mean) / size
    weights, bias = np.zeros((classes, x.shape[1])), np.zeros(classes)
    for _ in range(steps):
        error = softmax(x @ weights.T + bias) - truth
        weights -= rate * (error.T @ x / len(x) + decay * weights)
        bias -= rate * error.mean(0)
    return weights / size, bias - weights @ mean / size


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def places(taught):
    """Return where the taught pictures stand, or the asked ones, class by class."""
    return [EACH * k + i for k in range(len(KINDS)) for i in (range(FIRST) if taught else range(FIRST, EACH))]


def right(features, frames, source="features"):
    """Return how many of the asked pictures a head has right, in NumPy."""
    features = features[source]
    at = {"none": ((0, 0), (0, 0)), "same": ((1, 2), (1, 2)), "swapped": ((1, 2), (2, 1))}[frames]
    x, asked = (
        np.stack([features[levels[place // EACH], place] for place in places(taught)])
        for taught, levels in zip((True, False), at, strict=True)
    )
    weights, bias = trained(x, np.repeat([0, 1], FIRST), 2)
    return int(((asked @ weights.T + bias).argmax(1) == np.repeat([0, 1], EACH - FIRST)).sum())


# --- What it takes ----------------------------------------------------------------------------------------------------


def test_errors_say_what_is_allowed(made, imagenet, files, features):
    one = {"coat": files["coat"]}
    with pytest.raises(ValueError, match="pictures has 1 classes; it must have 2 to 5"):
        TeachExplorer(imagenet.packed, one, features)
    with pytest.raises(ValueError, match="give as many of each class"):
        TeachExplorer(imagenet.packed, files | {"coat": files["coat"][:2]}, features)
    with pytest.raises(ValueError, match="first is 5; it must be an integer from 1 to 4, so that some are left"):
        TeachExplorer(imagenet.packed, files, features, 5)
    with pytest.raises(ValueError, match=r"features\['stride 8'\] has shape \(3, 4, 40\); it must be \(3, 10, 40\)"):
        TeachExplorer(imagenet.packed, files, features | {"stride 8": features["stride 8"][:, :4]}, FIRST)
    with pytest.raises(ValueError, match=r"features\['features'\] is not of length 1"):
        TeachExplorer(imagenet.packed, files, features | {"features": 2 * features["features"]}, FIRST)
    with pytest.raises(ValueError, match=r"features has \['features'\]; it must have \['stride 4', "):
        TeachExplorer(imagenet.packed, files, {"features": features["features"]}, FIRST)
    for wrong in ({"frames": "red"}, {"source": "nothing"}, {"taught": {"format": 3}}, {"photo": "hat 1"}):
        with pytest.raises(TraitError):
            made(**wrong)
    assert made().photo == "pullover 4"
    with pytest.raises(ValueError, match="framed: pictures"):
        framed(np.zeros((3, 224, 224)), COLORS[0])
    with pytest.raises(ValueError, match=r"png: picture is float64 \(3, 28, 28\); it must be uint8 \(H, W\)"):
        png(np.zeros((3, 28, 28)))


def test_state_of_two_times_eleven_pictures_is_small(imagenet, files):
    many = {name: [*some, *some, some[0]] for name, some in files.items()}
    rows = {source: RNG.random((3, 22, numbers)) for source, numbers in SOURCES.items()}
    unit = {source: x / np.linalg.norm(x, axis=2, keepdims=True) for source, x in rows.items()}
    widget = TeachExplorer(imagenet.packed, many, unit)
    assert len(json.dumps(dependency_state([widget], drop_defaults=False)[widget.model_id]["buffers"])) <= 380 * 1024


# --- The head -------------------------------------------------------------------------------------------------------

HEAD = """([x, y, k, steps]) => {
    const { weights, bias } = m.headOf(x.map((row) => Float64Array.from(row)), y, k, steps);
    return [weights, bias, x.map((row) => m.sharesOf({ weights, bias }, row))];
}"""


def some(classes=3, count=12, size=20):
    """Return vectors of length 1 and their classes."""
    y = np.arange(count) % classes
    x = np.maximum(0, RNG.normal(size=(count, size)) + 2 * np.eye(size)[y])
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


@pytest.fixture
def maths(module_of):
    return module_of(join(TOOLS / "maths.js"))


def test_the_head_is_that_of_numpy(maths):
    x, y = some()
    found = maths(HEAD, [x.tolist(), y.tolist(), 3, 200])
    for one, other in zip(found, trained(x, y, 3), strict=False):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_after_many_steps_it_is_that_of_scikit_learn(maths):
    x, y = some()
    *_, shares = maths(HEAD, [x.tolist(), y.tolist(), 3, 20_000])
    near = (x - x.mean(0)) / np.linalg.norm(x - x.mean(0), axis=1).max()
    same = LogisticRegression(C=1 / (len(x) * 1e-3), tol=1e-10, max_iter=10_000).fit(near, y)
    np.testing.assert_allclose(shares, same.predict_proba(near), atol=1e-4)


def test_vectors_that_lie_close_together_are_learned_in_as_few_steps(maths):
    x, y = some()
    found, *_ = maths(HEAD, [x.tolist(), y.tolist(), 3, 200])
    close, *_ = maths(HEAD, [(1 + x / 100).tolist(), y.tolist(), 3, 200])
    np.testing.assert_allclose(close, 100 * np.array(found), rtol=1e-6, atol=1e-9)


def test_frames_and_small_pictures_are_those_of_python(maths):
    shown = RNG.integers(0, 256, (1, 3, 224, 224)) / 255
    flat = (255 * shown).transpose(CHANNELS_LAST).ravel()
    others = [framed(shown, color) for color in COLORS]
    found = maths("(x) => m.framed(x, m.COLORS[2])", flat)
    np.testing.assert_allclose(found, 255 * others[1].transpose(CHANNELS_LAST).ravel(), atol=1e-9)
    for one, seen in zip(maths("(x) => m.smalls(x)", flat), (shown, *others), strict=True):
        tiny = torch.nn.functional.avg_pool2d(torch.tensor(seen), 7).numpy().transpose(CHANNELS_LAST).ravel() - 0.5
        np.testing.assert_allclose(one, tiny / np.linalg.norm(tiny), atol=1e-6)
    assert maths("m.COLORS.slice(1)") == [list(color) for color in COLORS]


def test_what_stages_give_is_that_of_pytorch(module_of, imagenet):
    """The page's taps are compared with PyTorch's in test_engine.py; here what is made of them."""
    maths = module_of(join(TOOLS / "maths.js"))
    stages = maths("m.STAGES")
    assert [*(name for name, *_ in stages), "features"] == list(SOURCES)
    with Probe(imagenet.model, [*(tap for _, tap, _ in stages), "_flatten"]) as probe, torch.no_grad():
        imagenet.model(imagenet.inputs[:1])
    seen = {tap: probe.activations[tap][0] for _, tap, _ in stages}
    assert {name: len(seen[tap]) for name, tap, _ in stages} == {name: SOURCES[name] for name, *_ in stages}
    taps = {
        tap: {"data": maps.permute(1, 2, 0).ravel().numpy(), "side": maps.shape[1], "channels": len(maps)}
        for tap, maps in seen.items()
    }
    found = maths("(x) => m.vectorsOf(x)", {"features": probe.activations["_flatten"][0].tolist(), "taps": taps})
    picture = pixels(next(iter(imagenet.photos.values())))[None]
    for source, vector in stages_of(imagenet.model, picture).items():
        np.testing.assert_allclose(found[source], vector[0], atol=1e-6, err_msg=source)


def test_a_draw_teaches_so_many_of_each_class(maths):
    labels = [0] * 6 + [1] * 5
    draws = [maths("([y, n, seed]) => m.drawOf(y, n, seed)", [labels, 2, seed]) for seed in range(20)]
    for draw in draws:
        assert sorted(labels[at] for at in draw["taught"]) == [0, 0, 1, 1]
        assert sorted(draw["taught"] + draw["asked"]) == list(range(11))
    assert len({tuple(sorted(draw["taught"])) for draw in draws}) > 15


# --- The file -------------------------------------------------------------------------------------------------------

SAVED = """([home, given]) => {
    const vectors = given.vectors.map((row) => Float32Array.from(row));
    const head = m.headOf(vectors, given.labels, given.classes.length);
    return [m.contentOf(home, { ...given, vectors }, head), vectors.map((vector) => m.sharesOf(head, vector))];
}"""


def test_python_reads_what_the_page_saves(module_of):
    x = RNG.random((6, 1280)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    given = {
        "classes": ["cup", "größer", "c"],
        "labels": [0, 0, 1, 1, 2, 2],
        "pictures": [""] * 6,
        "vectors": x.tolist(),
        "stages": [[0] * WIDE] * 6,
    }
    joined = join(TOOLS / "file.js") + "export { headOf, sharesOf };"
    content, shares = module_of(joined)(SAVED, [{"network": "efficientnet_lite0", "crc": 5}, given])
    taught = read_taught(json.loads(json.dumps(content)))
    assert taught.classes == ("cup", "größer", "c")
    np.testing.assert_array_equal(taught.features, x)
    np.testing.assert_allclose(taught.shares(x), shares, atol=1e-5)


# --- The screen -----------------------------------------------------------------------------------------------------


def says(page):
    return page.locator(".bb-says").inner_text()


def trained_now(page, text):
    page.wait_for_function("(text) => document.querySelector('.bb-says').textContent.includes(text)", arg=text)


def test_it_opens_with_a_trained_head(page_with, made, features):
    page = page_with(made(), width=720)
    asked = len(KINDS) * (EACH - FIRST)
    assert says(page).startswith(f"Taught 6 pictures, it has {right(features, 'none')} of {asked} asked ones right.")
    assert page.locator(".bb-te-wrong").count() == asked - right(features, "none")
    x = features["features"][0, places(True)].astype(np.float16).astype(np.float64)
    weights, bias = trained(x, np.repeat([0, 1], FIRST), 2)
    share = softmax(features["features"][:1, FIRST] @ weights.T + bias)[0]
    assert page.locator(".bb-te-shares li:visible").first.inner_text().split("\n")[1] == f"{100 * share[0]:.0f} %"
    heavy = "(rows) => rows.map((row) => [parseFloat(row.innerText.split('\\n')[1]), getComputedStyle(row).fontWeight])"
    for thumb in page.locator(".bb-te-thumb").all():  # the likeliest class stands out, wherever its row is
        thumb.click()
        says(page)
        rows = page.locator(".bb-te-shares li:visible").evaluate_all(heavy)
        assert [weight for _, weight in rows] == ["700" if share == max(rows)[0] else "400" for share, _ in rows]


@pytest.mark.parametrize(("answer", "opening"), [("both", "Yes, both."), ("the frames", "Not alone: then none")])
def test_the_prediction_is_shown_by_swapped_frames(page_with, made, features, answer, opening):
    page = page_with(made(), width=720)
    page.get_by_role("button", name=answer, exact=True).click()
    trained_now(page, f"With the frames swapped, {right(features, 'swapped')} of 4 are right.")
    assert says(page).startswith(opening)
    page.get_by_text("by class").click()
    trained_now(page, f"In the frames of their class, {right(features, 'same')} of 4 are right.")
    page.get_by_text("pixels", exact=True).first.click()
    page.get_by_text("swapped", exact=True).click()
    trained_now(page, "With the frames swapped, 0 of 4 are right.")


def test_a_picture_is_taught_and_taken_out(page_with, made):
    page = page_with(made(), width=720)
    page.get_by_role("button", name=re.compile("^coat 5")).click()
    page.get_by_role("button", name="Teach this picture as pullover").click()
    trained_now(page, "Taught 7 pictures")
    assert page.get_by_role("group", name="pullover, taught").get_by_role("button").count() == 4
    page.get_by_role("button", name="Take this picture out of pullover").press("Enter")
    trained_now(page, "Taught 6 pictures")
    page.get_by_label("Name of class 2").fill("jacket")
    page.get_by_label("Name of class 2").press("Tab")
    page.wait_for_function("() => document.querySelectorAll('.bb-answer-name')[1].textContent === 'jacket'")
    page.get_by_label("Name of class 2").fill("pullover")
    page.get_by_label("Name of class 2").press("Tab")
    assert page.get_by_role("alert").inner_text() == "There is already a class “pullover”."
    page.keyboard.press("Escape")
    page.locator("summary").first.click()
    page.get_by_role("button", name="Two empty classes").click()
    trained_now(page, "The head needs pictures of two classes")
    page.get_by_role("button", name="As at first").click()
    trained_now(page, "Taught 6 pictures")


def test_own_pictures_become_classes_and_a_file_and_come_back(page_with, made, imagenet, pictures, tmp_path):
    page = page_with(made(), width=720)
    page.get_by_role("button", name="Load the network").click()
    page.get_by_role("button", name="New class").click(timeout=60_000)
    own = []
    for name, file in {**imagenet.photos, "text": b"none"}.items():
        (tmp_path / f"{name}.jpg").write_bytes(file)
        own.append(tmp_path / f"{name}.jpg")
    page.locator(".bb-te-row input[type=file]").nth(2).set_input_files(own)
    trained_now(page, "Taught 9 pictures")
    page.wait_for_function("() => /text.jpg cannot be read/.test(document.querySelector('[role=alert]').textContent)")
    assert page.get_by_role("group", name="class 3, taught").get_by_role("button").count() == 3
    page.keyboard.press("Escape")
    page.locator(".bb-te-tools input[type=file]").set_input_files(own[0])
    trained_now(page, "Your picture: class 3")
    shares = page.locator(".bb-te-shares li:visible > span:nth-child(3)").all_inner_texts()
    page.locator("summary").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    download.value.save_as(tmp_path / "taught.json")
    taught = read_taught(tmp_path / "taught.json")
    assert taught.classes == (*KINDS, "class 3")
    assert taught.checksum == imagenet.packed.checksum
    exact = unit_features(imagenet.model, torch.tensor(np.stack([pixels(one) for one in imagenet.photos.values()])))
    np.testing.assert_allclose(taught.features[taught.labels == 2], exact, atol=1e-5)
    assert shares == [f"{100 * share:.0f} %" for share in taught.shares(exact[:1])[0]]

    page.get_by_role("button", name="As at first").click()
    trained_now(page, "Taught 6 pictures")
    opener = page.locator("details input[type=file]")
    content = json.loads((tmp_path / "taught.json").read_text("utf-8"))
    for change, said in [
        ({"format": 1}, "holds no taught classes"),
        ({"version": 9}, "was saved by another version"),
        ({"crc": 1}, "holds features of another network"),
        ({"features": content["features"][:-8]}, "was altered or cut off"),
        ({"bias": "?"}, "was altered or cut off"),
        ({"stages": content["stages"][:-8]}, "was altered or cut off"),
        ({"labels": [0] * 9}, "has fewer than two classes"),
        (None, "is no JSON file"),
    ]:
        text = "{" if change is None else json.dumps(content | change)
        opener.set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": text.encode()})
        page.wait_for_function("(s) => document.querySelector('[role=alert]').textContent.includes(s)", arg=said)
        assert says(page).startswith("Taught 6 pictures")
    page.keyboard.press("Escape")
    opener.set_input_files(tmp_path / "taught.json")
    trained_now(page, "Taught 9 pictures")
    assert page.get_by_label("Name of class 3").input_value() == "class 3"
    page.get_by_role("radio", name="stride 32").check()
    trained_now(page, "Taught 9 pictures")
    old = {name: value for name, value in content.items() if name != "stages"}
    opener.set_input_files({"name": "old.json", "mimeType": "application/json", "buffer": json.dumps(old).encode()})
    trained_now(page, "Left out, because the file they came from does not hold this: 3. Taught 6 pictures")
    page.get_by_role("button", name="Remove class 3 and its pictures").click()
    page.wait_for_function("() => document.querySelector('.bb-says').textContent.startsWith('Taught 6 pictures')")


def test_a_stage_is_what_the_head_is_given(page_with, made, features):
    page = page_with(made(source="small", frames="swapped"), width=720)
    frames = page.get_by_role("group", name="Frames")
    for source in list(SOURCES)[:-1]:
        page.get_by_role("radio", name=source, exact=True).check()
        frames.get_by_text("none", exact=True).click()
        trained_now(page, f"Taught 6 pictures, it has {right(features, 'none', source)} of 4 asked ones right.")
        frames.get_by_text("swapped", exact=True).click()
        trained_now(page, f"With the frames swapped, {right(features, 'swapped', source)} of 4 are right.")


def test_the_reader_s_own_pictures_have_stages(page_with, made, imagenet, tmp_path):
    page = page_with(made(source="stride 8"), width=720)
    page.get_by_role("button", name="Load the network").click()
    page.locator(".bb-te-tools:visible").wait_for(timeout=60_000)
    for number, file in enumerate(list(imagenet.photos.values())[:2]):
        (tmp_path / f"{number}.jpg").write_bytes(file)
        page.locator(".bb-te-row input[type=file]").nth(number).set_input_files(tmp_path / f"{number}.jpg")
        trained_now(page, f"Taught {7 + number} pictures")
    page.locator("summary").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    content = json.loads(download.value.path().read_text("utf-8"))
    rows = np.frombuffer(base64.b64decode(content["stages"]), "<f4").reshape(8, WIDE)
    own = [number for number, name in enumerate(content["pictures"]) if not name]
    exact = stages_of(imagenet.model, np.stack([pixels(file) for file in list(imagenet.photos.values())[:2]]))
    expected = np.concatenate([exact[source] for source in list(SOURCES)[:-1]], axis=1)
    np.testing.assert_allclose(rows[own], expected, atol=2e-5)


def test_what_python_gives_is_shown_and_without_questions_each_is_left_out(page_with, made, imagenet, module_of):
    vectors = np.repeat(np.eye(1280, dtype=np.float32)[:2], 3, axis=0)
    given = {"classes": ["a", "b"], "labels": [0, 0, 0, 1, 1, 1], "pictures": [""] * 6, "vectors": vectors.tolist()}
    given["stages"] = [[0] * WIDE] * 6
    joined = join(TOOLS / "file.js") + "export { headOf, sharesOf };"
    home = {"network": "efficientnet_lite0", "crc": imagenet.packed.checksum}
    content, _ = module_of(joined)(SAVED, [home, given])
    page = page_with(made(taught=content), width=720)
    trained_now(page, "Each taught picture left out once, 6 of 6 are right.")
    assert page.get_by_label("Name of class 1").input_value() == "a"


def test_numbers_are_of_all_draws(page_with, made):
    page = page_with(made(), width=720)
    page.locator("summary").nth(1).click()
    page.wait_for_function("() => /\\d/.test(document.querySelectorAll('tbody tr')[1].lastChild.textContent)")
    cells = page.locator("tbody tr").first.locator("td").all_inner_texts()
    for cell in cells:
        mean, low, high = map(int, re.fullmatch(r"(\d+) \((\d+) to (\d+)\)", cell).groups())
        assert low <= mean <= high
    assert page.locator("tbody tr").nth(2).locator("td").all_inner_texts() == ["–"] * 6


def test_it_is_whole(page_with, made):
    acts = [[".bb-te-thumb", None], [".bb-segmented input", None], ["button|Train again", None]]
    page_checks.assert_whole(page_with(made()), *acts)
