"""An array crosses to the page and back with its dtype and shape."""

import numpy as np
import pytest
from sent import REVIVED
from traitlets import TraitError

from backbone.widgets.base import HERE, Array, BookWidget, join

GIVEN = {
    "int8": np.array([[-128, 0, 127], [1, 2, 3]]),
    "uint8": np.array([[[0, 255], [1, 2]]]),
    "int16": np.array([-32768, 0, 513]),
    "uint16": np.array([0, 65535, 513]),
    "float16": np.array([[0, -1.5], [1e-3, 65504], [np.inf, 6e-8]]),
    "float32": np.array([0.1, -3e38, np.inf]),
    "float64": np.linspace(-1, 1, 24).reshape(2, 3, 4),
}


class Holder(BookWidget):
    """A widget that shows its page the arrays as the kit reads them, and sends one back."""

    _esm = (
        join(HERE / "kit.js")
        + """
export default {
    render({ model, el }) {
        const read = (name) => {
            const { data, shape } = array(model, name);
            return { data: Array.from(data, String), shape, kind: data.constructor.name };
        };
        window.found = (names) => names.map(read);
        const held = (data) => ({ get: () => ({ dtype: "int16", shape: [2], data }) });
        window.readBuffer = (data) => Array.from(array(held(data), "any").data);
        window.parts = (name) => entries(array(model, name)).map((part) => [...part]);
        el.innerHTML = "<p>drawn</p>";
    },
}"""
    )

    int8 = Array("int8").tag(sync=True)
    uint8 = Array("uint8").tag(sync=True)
    int16 = Array("int16").tag(sync=True)
    uint16 = Array("uint16").tag(sync=True)
    float16 = Array("float16").tag(sync=True)
    float32 = Array("float32").tag(sync=True)
    float64 = Array("float64").tag(sync=True)


def test_what_is_assigned_is_converted_and_kept_from_changes():
    holder = Holder(uint8=[[1, 2], [3, 4]], float32=np.array([[1, 2]], ">f8").T)
    assert (holder.uint8.dtype, holder.uint8.shape, holder.uint8.tolist()) == (np.uint8, (2, 2), [[1, 2], [3, 4]])
    assert holder.float32.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        holder.uint8[0] = 7
    seen = []
    holder.observe(seen.append, "uint8")
    holder.uint8 = [[1, 2], [3, 5]]
    assert seen[0]["new"].tolist() == [[1, 2], [3, 5]]
    assert Holder().uint8.size == 0


@pytest.mark.parametrize("values", [[256], [-1], [0.5], [np.nan]])
def test_a_number_that_does_not_fit_is_refused(values):
    with pytest.raises(TraitError, match="uint8 holds numbers that uint8 cannot"):
        Holder(uint8=values)


def test_the_page_can_send_an_array_back():
    holder = Holder()
    data = memoryview(np.array([[1, 2, 3]], "<f4").tobytes())
    holder.set_state({"float32": {"dtype": "float32", "shape": [1, 3], "data": data}})
    assert holder.float32.tolist() == [[1, 2, 3]]


def test_bytes_may_come_as_a_view_or_as_a_buffer(page_with):
    """Jupyter gives a DataView, another host may give the ArrayBuffer itself."""
    page = page_with(Holder())
    assert page.evaluate("() => window.readBuffer(new Int16Array([1, -2]).buffer)") == [1, -2]
    assert page.evaluate("() => window.readBuffer(new DataView(new Int16Array([9, 1, -2]).buffer, 2))") == [1, -2]


def test_every_kind_of_number_arrives_with_its_shape(page_with):
    holder = Holder(**GIVEN)
    page = page_with(holder)
    for (name, given), found in zip(GIVEN.items(), page.evaluate("found", list(GIVEN)), strict=True):
        assert found["shape"] == list(given.shape), name
        values = np.array([float(text) for text in found["data"]]).reshape(given.shape)
        np.testing.assert_array_equal(values, given.astype(name).astype(float), name)
        assert found["kind"].lower() == {"float16": "float32"}.get(name, name) + "array"
    assert page.evaluate("parts", "int8") == GIVEN["int8"].tolist()


@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("name", GIVEN)
def test_bytes_may_begin_anywhere_in_a_buffer(module_of, name, offset):
    given = GIVEN[name].astype(name)
    bytes_ = [*bytes(offset), *given.tobytes()]
    module = module_of(join(HERE / "kit.js"))
    found = module(
        f"(value) => Array.from(m.array({{ get: () => {REVIVED}(value) }}, 'x').data, String)",
        {"dtype": name, "shape": list(given.shape), "data": bytes_, "offset": offset},
    )
    np.testing.assert_array_equal([float(text) for text in found], given.astype(float).ravel())
