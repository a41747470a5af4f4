"""Write the two kernels of the page's engine, in WebAssembly with SIMD: src/backbone/widgets/engine/kernels.js.

    python tools/kernels.py

Channels come last: x[place][channel]. ``pointwise`` takes 4 places and 8 outputs at a time, so that eight sums stay in
registers; its weights stand in blocks of 8 outputs. It may write up to 3 places behind the last. ``depthwise`` takes 16
channels at a time. All addresses are bytes in the one memory. ``wasmtime`` turns the text into bytes; a test does that
again and compares.
"""

import base64
from pathlib import Path

PLACES, LANES = 4, 4  # places at a time; numbers in a vector
TARGET = Path(__file__).parents[1] / "src" / "backbone" / "widgets" / "engine" / "kernels.js"
HEAD = "// Made by tools/kernels.py: two kernels in WebAssembly, as base64.\n"


def get(name: str) -> str:
    """Read a variable."""
    return f"(local.get ${name})"


def put(name: str, value: str) -> str:
    """Set a variable."""
    return f"(local.set ${name} {value})"


def add(*values: str) -> str:
    """Add integers."""
    return values[0] if len(values) == 1 else f"(i32.add {values[0]} {add(*values[1:])})"


def times(one: str, other: str) -> str:
    """Multiply integers."""
    return f"(i32.mul {one} {other})"


def number(value: int) -> str:
    """Give an integer."""
    return f"(i32.const {value})"


def load(at: str, offset: int = 0) -> str:
    """Read four numbers from memory."""
    return f"(v128.load offset={offset} {at})"


def store(at: str, value: str, offset: int = 0) -> str:
    """Write four numbers to memory."""
    return f"(v128.store offset={offset} {at} {value})"


def multiply_add(total: str, one: str, other: str) -> str:
    """Add to a variable the product of two vectors, number by number."""
    return put(total, f"(f32x4.add {get(total)} (f32x4.mul {one} {other}))")


def relu6(value: str) -> str:
    """Clip four numbers to 0..6."""
    return f"(f32x4.pmin (f32x4.pmax {value} (v128.const f32x4 0 0 0 0)) {get('six')})"


def loop(name: str, step: str, body: list[str]) -> list[str]:
    """Repeat the body while ``step``, a condition that also moves on, holds."""
    return [f"(loop ${name}", *body, f"(br_if ${name} {step}))"]


def next_below(name: str, step: int, end: str, compare: str = "lt_u") -> str:
    """Move a counter on, and ask whether it is still below its end."""
    return f"(i32.{compare} (local.tee ${name} {add(get(name), number(step))}) {end})"


def function(name: str, arguments: str, integers: str, vectors: str, body: list[str]) -> list[str]:
    """Wrap a body into a function; names are given in texts, with blanks between them."""
    parameters = " ".join(f"(param ${argument} i32)" for argument in arguments.split())
    variables = [f"(local ${v} i32)" for v in integers.split()] + [f"(local ${v} v128)" for v in vectors.split()]
    return [f'(func (export "{name}") {parameters}', *variables, put("six", "(f32x4.splat (f32.const 6))"), *body, ")"]


def pointwise() -> list[str]:
    """y[p][o] = b[o] + sum of x[p][i] w[o][i], plus more[p][o] unless ``more`` is 0, clipped to 0..6 where asked."""
    sums = [(place, half, f"s{place}{half}") for place in range(PLACES) for half in (0, 1)]
    output = times(get("o"), number(4))
    inner = [put("w0", load(get("wp"))), put("w1", load(get("wp"), 16)), put("at", get("xp"))]
    for place in range(PLACES):
        inner.append(put("v", f"(v128.load32_splat {get('at')})"))
        inner += [multiply_add(f"s{place}{half}", get("v"), get(f"w{half}")) for half in (0, 1)]
        inner.append(put("at", add(get("at"), get("xs"))))
    inner += [put("xp", add(get("xp"), number(4))), put("wp", add(get("wp"), number(32)))]
    row = times(get("p"), get("ys"))
    more = [put("at", add(get("more"), row, output))]
    for _, half, name in sums:
        more.append(put(name, f"(f32x4.add {get(name)} {load(get('at'), 16 * half)})"))
        if half:
            more.append(put("at", add(get("at"), get("ys"))))
    out = [put("at", add(get("y"), row, output))]
    for place, half, name in sums:
        out.append(store(get("at"), get(name), 16 * half))
        if half and place < PLACES - 1:
            out.append(put("at", add(get("at"), get("ys"))))
    body = [
        put("xp", add(get("x"), times(get("p"), get("xs")))),
        put("wp", add(get("w"), times(get("o"), get("xs")))),
        *(put(name, load(add(get("b"), output), 16 * half)) for _, half, name in sums),
        put("i", get("inputs")),
        *loop("l_i", f"(local.tee $i (i32.sub {get('i')} {number(1)}))", inner),
        f"(if {get('more')} (then",
        *more,
        "))",
        f"(if {get('clip')} (then",
        *(put(name, relu6(get(name))) for _, _, name in sums),
        "))",
        *out,
    ]
    places = [put("p", number(0)), *loop("l_p", next_below("p", PLACES, get("places")), body)]
    return function(
        "pointwise",
        "x w b y more places inputs outputs clip",
        "o p i xp wp at xs ys",
        "w0 w1 v six " + " ".join(name for _, _, name in sums),
        [
            put("xs", times(get("inputs"), number(4))),
            put("ys", times(get("outputs"), number(4))),
            *loop("l_o", next_below("o", 2 * LANES, get("outputs")), places),
        ],
    )


def window(axis: str) -> list[str]:
    """Set the first row or column of the kernel that lies in the map, and the one behind the last."""
    at, size, kernel = get(f"i{axis}"), get("size"), get("kernel")
    return [
        put(f"i{axis}", f"(i32.sub {times(get(f'o{axis}'), get('stride'))} {get('pad')})"),
        put(f"{axis}0", f"(select (i32.sub {number(0)} {at}) {number(0)} (i32.lt_s {at} {number(0)}))"),
        put(f"{axis}1", f"(select (i32.sub {size} {at}) {kernel} (i32.gt_s {add(at, kernel)} {size}))"),
    ]


def depthwise() -> list[str]:
    """Each channel by itself, y[oy][ox][c] = b[c] + sum over the window of x[iy][ix][c] w[ky][kx][c], in 0..6."""
    sums = [(16 * i, f"s{i}") for i in range(4)]
    place = add(times(add(get("iy"), get("ky")), get("size")), get("ix"), get("kx"))
    tap = add(times(get("ky"), get("kernel")), get("kx"))
    columns = [
        *(multiply_add(name, load(get("xp"), offset), load(get("wp"), offset)) for offset, name in sums),
        put("xp", add(get("xp"), get("cs"))),
        put("wp", add(get("wp"), get("cs"))),
    ]
    rows = [
        put("kx", get("x0")),
        put("xp", add(get("x"), get("c"), times(place, get("cs")))),
        put("wp", add(get("w"), get("c"), times(tap, get("cs")))),
        *loop("l_kx", next_below("kx", 1, get("x1"), "lt_s"), columns),
    ]
    channels = [
        *(put(name, load(add(get("b"), get("c")), offset)) for offset, name in sums),
        put("ky", get("y0")),
        *loop("l_ky", next_below("ky", 1, get("y1"), "lt_s"), rows),
        *(store(get("y"), relu6(get(name)), offset) for offset, name in sums),
        put("y", add(get("y"), number(64))),
    ]
    across = [*window("x"), put("c", number(0)), *loop("l_c", next_below("c", 64, get("cs"), "lt_s"), channels)]
    down = [*window("y"), put("ox", number(0)), *loop("l_x", next_below("ox", 1, get("out"), "lt_s"), across)]
    return function(
        "depthwise",
        "x w b y size channels kernel stride pad out",
        "cs oy ox c ky kx iy ix y0 y1 x0 x1 xp wp",
        "six s0 s1 s2 s3",
        [
            put("cs", times(get("channels"), number(4))),
            *loop("l_y", next_below("oy", 1, get("out"), "lt_s"), down),
        ],
    )


def text() -> str:
    """Return the module as WebAssembly text."""
    return "\n".join(['(module (import "engine" "memory" (memory 1))', *pointwise(), *depthwise(), ")"])


def module() -> str:
    """Return the JavaScript file."""
    from wasmtime import wat2wasm

    code = base64.b64encode(wat2wasm(text())).decode()
    return f'{HEAD}export const KERNELS =\n  "{code}";\n'


if __name__ == "__main__":
    TARGET.write_text(module(), "utf-8")
    print(f"Wrote {TARGET.name}, {TARGET.stat().st_size} bytes")
