"""A reader's own photograph in a figure: read and resized as Python does it, and the row in which it is given."""

import base64
import io
import struct
import zlib

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME
from photo_trial import FILES, NAMES, PhotoTrial
from PIL import Image, PngImagePlugin

from backbone import pretrained
from backbone.data import photo_from, photos
from backbone.widgets.base import HERE, join
from backbone.widgets.engine import SIDE, pixels

PHOTO = HERE / "photo"
LITE = "efficientnet_lite0"
RNG = np.random.default_rng(0)
SIZES = [(1, 1), (2, 3), (7, 300), (223, 225), (224, 224), (225, 224), (299, 301), (480, 641), (1501, 40), (1200, 901)]
BYTES = "const bytes = (text) => Uint8ClampedArray.from(atob(text), (letter) => letter.charCodeAt(0));"
RESIZE = f"""([data, side, height]) => {{
    {BYTES}
    const [all, square, band] = [bytes(data), m.resizer(side), 4 * side * height];
    for (let from = 0; from < all.length; from += band) square.add(all.subarray(from, from + band));
    return square.result();
}}"""
READ = f"""([data]) => {{
    {BYTES}
    return m.pixelsOf(new Blob([bytes(data)])).catch((error) => error.kind ?? String(error));
}}"""


def text(data):
    return base64.b64encode(data).decode()


def seen(picture):
    """Return what a network sees of (H, W, 3), 0 to 255, in Python: (224, 224, 3), 0 to 255."""
    share = torch.from_numpy(np.asarray(picture, np.float32)).permute(2, 0, 1) / 255
    return (128 * pretrained.prepare(LITE, share, crop=1)[0] + 127).permute(1, 2, 0).numpy()


@pytest.fixture
def resize(module_of):
    """Return a function that resizes the middle of (H, W, 4) bytes in the page, in bands of so many rows."""
    module = module_of(join(PHOTO / "resize.js"))

    def run(picture, height=64):
        cut = module("(size) => m.cut(...size)", picture.shape[1::-1])
        square = picture[cut["top"] :, cut["left"] :][: cut["side"], : cut["side"]]
        return np.array(module(RESIZE, [text(square.tobytes()), cut["side"], height])).reshape(SIDE, SIDE, 3)

    return run


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_picture_is_cut_and_resized_as_python_does_it(resize, height, width):
    picture = np.random.default_rng(height).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[: height // 2] //= 200  # black and white next to each other, which bicubic passes
    picture[: height // 2, :, :3] *= 255
    picture[..., 3] = 255
    np.testing.assert_allclose(resize(picture), seen(picture[..., :3]), atol=0.01)


def test_the_bands_do_not_matter(resize):
    picture = np.random.default_rng(0).integers(0, 256, (500, 500, 4), dtype=np.uint8)
    for height in (1, 7, 499):
        np.testing.assert_array_equal(resize(picture, height), resize(picture, 500))


def test_a_picture_of_the_right_size_stays_as_it_is(resize):
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4), dtype=np.uint8)
    picture[..., 3] = 255
    np.testing.assert_array_equal(resize(picture), picture[..., :3])


def test_what_is_transparent_becomes_white(resize):
    picture = np.random.default_rng(0).integers(0, 256, (300, 250, 4), dtype=np.uint8)
    opacity = picture[..., 3:] / 255
    np.testing.assert_allclose(resize(picture), seen(picture[..., :3] * opacity + 255 * (1 - opacity)), atol=0.01)


# --- Files ---------------------------------------------------------------------------------------------------------

TILES = np.kron(RNG.integers(0, 256, (28, 36, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))  # (224, 288, 3)
TILED = Image.fromarray(TILES)
GLASS = Image.merge("RGBA", [*TILED.split(), Image.fromarray(np.rot90(TILES[:, :224, 0])).resize((288, 224))])


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def turned(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return saved(TILED, "JPEG", quality=95, exif=exif)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows):
    """Return a PNG file as Pillow cannot write it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep():
    """Return a PNG of 16 bits a color."""
    values = RNG.integers(0, 65536, (224, 224, 3)).astype(">u2")
    return png(224, 224, 16, 2, b"".join(b"\0" + row.tobytes() for row in values))


def bright():
    """Return a PNG that asks for another brightness, which is asked of a screen and not of a network."""
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", struct.pack(">I", 100_000))
    return saved(TILED, "PNG", pnginfo=info)


PALETTE = TILED.convert("P")
GRAY = Image.fromarray(RNG.integers(0, 65536, (224, 224)).astype(np.uint16))
FRAMES = {"save_all": True, "append_images": [TILED.rotate(180)], "duration": 50}
PICTURES = {
    **{f"turn {number}": turned(number) for number in range(1, 9)},
    "progressive": saved(TILED, "JPEG", progressive=True),
    "CMYK": saved(TILED.convert("CMYK"), "JPEG", quality=95),
    "gray JPEG": saved(TILED.convert("L"), "JPEG"),
    "palette": saved(PALETTE, "PNG"),
    "palette with glass": saved(PALETTE, "PNG", transparency=PALETTE.getpixel((100, 100))),
    "glass": saved(GLASS, "PNG"),
    "gray glass": saved(GLASS.convert("LA"), "PNG"),
    "black and white": saved(TILED.convert("1"), "PNG"),
    "gray of 16 bits": saved(GRAY, "PNG"),
    "16 bits": deep(),
    "brightness": bright(),
    "GIF": saved(PALETTE, "GIF", **FRAMES),
    "WebP": saved(TILED, "WEBP"),
    "WebP with glass": saved(GLASS, "WEBP", lossless=True),
    "moving WebP": saved(TILED, "WEBP", lossless=True, **FRAMES),
    "BMP": saved(TILED, "BMP"),
}
NO_PICTURES = {
    "HEIC.jpg": (b"\0\0\0\x18ftypheic" + bytes(40), "telephone"),
    "film.mp4": (b"\0\0\0\x18ftypisom" + bytes(40), "unknown"),
    "words.txt": (b"no such picture", "unknown"),
    "empty.png": (b"", "unknown"),
    "cut.jpg": (PICTURES["turn 1"][:5000], "damaged"),
    "cut.png": (PICTURES["BMP"][:900], "damaged"),
    "bomb.png": (png(30_000, 30_000, 1, 0, b"\0"), "large"),
}


@pytest.fixture
def read(module_of):
    """Return a function that reads a file in the page: (224, 224, 3), or what is wrong."""
    module = module_of(join(PHOTO / "decode.js"))

    def run(data):
        found = module(READ, [text(data)])
        return found if isinstance(found, str) else np.array(found).reshape(SIDE, SIDE, 3)

    run.module = module
    return run


def test_files_are_read_as_python_reads_them(read, tmp_path):
    """Chromium and Pillow share most decoders; where opacity or 16 bits are rounded they differ by a level."""
    for name, data in PICTURES.items():
        (tmp_path / "mine").write_bytes(data)
        expected = seen(255 * np.moveaxis(photo_from(tmp_path / "mine"), 0, -1))
        np.testing.assert_allclose(read(data), expected, atol=1.01, err_msg=name)


def test_what_is_no_picture_is_told_by_the_same_signs(read, module_of, tmp_path):
    found = {name: read(data) for name, (data, _) in NO_PICTURES.items()}
    assert found == {name: kind for name, (_, kind) in NO_PICTURES.items()}
    module = module_of(join(PHOTO / "header.js") + join(PHOTO / "text.js"))
    kinds, telephones, words = module("[m.KINDS, m.TELEPHONES, m.PHOTO_TEXT]")
    assert kinds == [kind for kind in photos.FORMATS if kind != "TIFF"]
    assert telephones == [word.decode() for word in photos.TELEPHONES]
    for name, (data, kind) in NO_PICTURES.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match="cannot be read") as raised:
            photo_from(tmp_path / name)
        sentence = words[kind].format(name="", kinds=", ".join(photos.FORMATS)).replace("’", "'").rstrip(".")
        told = str(raised.value).partition("'")[2].partition("'")[2]
        assert told == sentence or (kind == "damaged" and told.endswith(sentence.partition("damaged")[2]))


def test_sizes_stand_in_the_first_bytes(module_of):
    module = module_of(join(PHOTO / "header.js"))
    wide = Image.new("RGB", (300, 17))
    files = [saved(wide, kind, **more) for kind, more in [("JPEG", {}), ("JPEG", {"progressive": True})]]
    files += [saved(wide, "JPEG", exif=b"Exif\0\0" + bytes(60_000))]
    files += [saved(wide, kind) for kind in ("PNG", "GIF", "BMP", "WEBP")]
    files += [saved(wide, "WEBP", lossless=True), saved(wide.convert("RGBA"), "WEBP", exif=b"Exif\0\0")]
    js = f"(files) => {{ {BYTES} return files.map((file) => m.sizeOf(new Uint8Array(bytes(file).buffer))); }}"
    assert module(js, [text(file) for file in files]) == [[300, 17]] * len(files)
    assert module(js, [text(file) for file in (files[0][:20], files[0][:100], b"words" * 10)]) == [None] * 3


def test_a_large_picture_is_read_as_it_is_and_the_page_goes_on_between_two_bands(read):
    picture = np.zeros((4500, 4800, 3), np.uint8)
    picture[1000:3000, 1500:2500] = (255, 0, 90)
    read.module("() => { globalThis.breaths = 0; setInterval(() => globalThis.breaths++); }")
    np.testing.assert_allclose(read(saved(Image.fromarray(picture), "PNG")), seen(picture), atol=0.01)
    assert read.module("() => globalThis.breaths") > 3


FORWARD = f"""async ([layers, data, pixels]) => {{
    {BYTES}
    const net = await m.network(layers, new Uint8Array(bytes(data).buffer));
    net.forward(Float32Array.from(pixels));
    return net.logits();
}}"""


def test_the_same_file_gives_the_same_scores(read, module_of, imagenet, tmp_path):
    path = tmp_path / "mine.png"
    Image.fromarray(np.rint(255 * np.moveaxis(pixels(FILES["astronaut"]), 0, -1)).astype(np.uint8)).resize(
        (431, 377)
    ).save(path)
    given, packed = read(path.read_bytes()).ravel(), imagenet.packed
    found = module_of(join(HERE / "engine" / "network.js"))(FORWARD, [packed.layers, text(packed.data), given])
    with torch.no_grad():
        expected = imagenet.model(pretrained.prepare(LITE, photo_from(path), crop=1))[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


# --- The row -------------------------------------------------------------------------------------------------------

LAST = """() => {
    const { pixels, ...rest } = picks.at(-1);
    return { ...rest, mean: pixels.reduce((sum, value) => sum + value) / pixels.length };
}"""
PICKED = "(count) => globalThis.picks?.length === count"
GIVE = f"""([kind, files, selector]) => {{
    {BYTES}
    const transfer = new DataTransfer();
    for (const [name, type, data] of files) transfer.items.add(new File([bytes(data)], name, {{ type }}));
    const options = {{ bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer }};
    const event = kind === "paste" ? new ClipboardEvent(kind, options) : new DragEvent(kind, options);
    document.querySelector(selector).dispatchEvent(event);
    return event.defaultPrevented;
}}"""
SLOW = """() => {
    const real = createImageBitmap;
    const gate = new Promise((done) => (window.release = done));
    window.createImageBitmap = (...given) => (window.coming = gate.then(() => real(...given)));
}"""
CAMERA = """(failure) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const context = canvas.getContext("2d");
    context.fillStyle = "rgb(200, 100, 0)";
    context.fillRect(0, 0, 320, 240);
    window.asked = [];
    window.tracks = [];
    navigator.mediaDevices.enumerateDevices = async () => [{ kind: "videoinput" }, { kind: "videoinput" }];
    navigator.mediaDevices.getUserMedia = async ({ video }) => {
        if (failure) throw new DOMException("no", failure);
        asked.push(video.facingMode);
        const stream = canvas.captureStream(30);
        tracks.push(stream.getVideoTracks()[0]);
        setInterval(() => context.fillRect(0, 0, 320, 240), 30); // a stream has a frame where something is drawn
        return stream;
    };
}"""


def plain(color, kind="PNG"):
    return saved(Image.new("RGB", (300, 250), color), kind)


def given(name="mine.png", data=None, kind="image/png"):
    return {"name": name, "mimeType": kind, "buffer": plain((9, 9, 9)) if data is None else data}


def picked(page, count):
    page.wait_for_function(PICKED, arg=count)
    page.evaluate(FRAME)
    return page.evaluate(LAST)


@pytest.fixture
def trial(page_with):
    """Return a page with the smallest figure, its first picture picked."""

    def opened(**options):
        page = page_with(PhotoTrial(), **options)
        picked(page, 1)
        return page

    return opened


def test_pictures_at_hand_are_picked_by_hand_and_keys(trial):
    page = trial()
    for i, name in enumerate(NAMES):
        found = picked(page, i + 1)
        assert found == {"name": name, "own": False, "mean": pytest.approx(255 * pixels(FILES[name]).mean(), abs=0.01)}
        assert page.locator(".bb-says").inner_text() == f"This is {name}."
        page.locator(".bb-photo input:checked").press("ArrowRight")
    assert picked(page, len(NAMES) + 1)["name"] == NAMES[0], "the reader's own is passed while there is none"
    page.get_by_role("radio", name="A red cup of espresso").check()
    assert picked(page, len(NAMES) + 2)["name"] == "coffee"


def test_a_file_is_picked_kept_beside_the_others_and_gone_with_the_page(trial):
    page = trial()
    own = page.get_by_role("radio", name="Your own picture")
    height = page.locator(".bb-widget").bounding_box()["height"]
    assert own.count() == 0
    page.locator("input[type=file]").set_input_files(given())
    assert picked(page, 2) == {"name": "", "own": True, "mean": 9}
    page.locator("input[type=file]").set_input_files(given(data=plain((50, 50, 50))))
    assert picked(page, 3)["mean"] == 50, "a second one takes its place"
    page.get_by_role("radio").first.check()
    assert picked(page, 4)["name"] == "chelsea"
    own.check()
    assert picked(page, 5)["mean"] == 50
    assert page.locator(".bb-widget").bounding_box()["height"] == height
    before = page.url
    page.reload()
    assert picked(page, 1)["name"] == "chelsea"
    kept = page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")
    assert (page.url, len(kept) < 1000, "mine" in kept) == (before, True, False)


def test_what_is_no_picture_is_said_and_changes_nothing(trial):
    page = trial()
    height = page.locator(".bb-widget").bounding_box()["height"]
    says = page.get_by_role("alert")
    for name, (data, _) in NO_PICTURES.items():
        page.locator("input[type=file]").set_input_files(given(name, data))
        says.wait_for()
        assert says.inner_text().startswith(f"{name} cannot be read: it")
        page.locator(".bb-photo").press("Shift")
        assert not says.is_visible(), "it goes with the next act"
    assert picked(page, 1)["name"] == "chelsea"
    assert page.locator(".bb-widget").bounding_box()["height"] == height


def test_the_newest_wish_counts(trial):
    page = trial()
    page.evaluate(SLOW)
    page.locator("input[type=file]").set_input_files(given())
    page.wait_for_function("Boolean(window.coming)")
    page.get_by_role("radio").nth(2).check()
    assert picked(page, 2)["name"] == "coffee"
    page.evaluate("async () => { release(); await coming; }")
    assert picked(page, 2)["name"] == "coffee"
    assert page.get_by_role("radio").nth(2).is_checked()


def test_pictures_are_dropped_and_pasted(trial):
    page = trial()
    words = ["notes.txt", "text/plain", text(b"words")]
    gray, black = (["a.png", "image/png", text(plain((level,) * 3))] for level in (80, 0))
    assert page.evaluate(GIVE, ["dragover", [gray], ".bb-says"])
    assert page.locator(".bb-photo-over").count() == 1
    assert page.evaluate(GIVE, ["drop", [words, gray, black], ".bb-says"])
    assert picked(page, 2)["mean"] == 80, "the first that is a picture"
    assert page.locator(".bb-photo-over").count() == 0
    assert not page.evaluate(GIVE, ["dragover", [gray], "body"])
    assert not page.evaluate(GIVE, ["drop", [gray], "body"])
    page.mouse.move(600, 600)
    assert not page.evaluate(GIVE, ["paste", [black], "body"]), "neither the pointer nor the focus is on the figure"
    page.locator(".bb-says").hover()
    assert not page.evaluate(GIVE, ["paste", [words], "body"])
    assert page.evaluate(GIVE, ["paste", [black], "body"])
    assert picked(page, 3)["mean"] == 0
    page.mouse.move(600, 600)
    page.get_by_role("radio").first.focus()
    assert page.evaluate(GIVE, ["paste", [gray], "body"])
    assert picked(page, 4)["mean"] == 80


def test_a_picture_from_the_camera(trial):
    page = trial()
    page.evaluate(CAMERA, None)
    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Other camera").click()
    page.wait_for_function("asked.length === 2")
    assert page.evaluate("asked") == ["environment", "user"]
    page_checks.assert_accessible(page)
    page.get_by_role("button", name="Take the picture").click()
    assert picked(page, 2) == {"name": "", "own": True, "mean": pytest.approx(100, abs=3)}
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended", "ended"]
    page.get_by_role("button", name="Camera").click()
    page.wait_for_function("tracks.length === 3")
    page.keyboard.press("Escape")
    page.wait_for_function("tracks[2].readyState === 'ended'")
    page.evaluate(CAMERA, "NotAllowedError")
    page.get_by_role("button", name="Camera").click()
    assert page.get_by_role("alert").inner_text().startswith("The camera may not be used on this page.")
    assert not page.get_by_role("dialog").is_visible()


def test_without_a_camera_there_is_no_button(module_of):
    module = module_of(join(PHOTO / "camera.js"))
    module("() => { Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true }); }")
    assert module("() => m.cameraPart({}, {}, {})") is None


def test_it_fits_and_is_accessible(trial):
    page = trial()
    page_checks.assert_figure(page)
    page.locator("input[type=file]").set_input_files(given())
    picked(page, 2)
    page_checks.assert_sound(page)
    page_checks.resize(page, 360)
    assert page.locator(".bb-photo").bounding_box()["height"] <= 110
