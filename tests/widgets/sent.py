"""A widget's state as a page gets it, for tests whose page brings a model of its own."""

import base64
import json

# In the page: an array's bytes behind a view, as ipywidgets gives them.
REVIVED = """((value) => value?.dtype
    ? { ...value, data: new DataView(Uint8Array.from(value.data).buffer, value.offset) } : value)"""


def sent(widget, offset=0) -> dict:
    """Return the state for JSON; the bytes of an array become numbers, behind ``offset`` zeros."""
    return {
        name: value | {"data": [*bytes(offset), *value["data"]], "offset": offset} if _is_array(value) else value
        for name, value in widget.get_state().items()
    }


def size_of(widget) -> int:
    """Return how many characters the state takes on a page."""
    return len(json.dumps(widget.get_state(), default=lambda data: base64.b64encode(data).decode()))


def _is_array(value) -> bool:
    return isinstance(value, dict) and "dtype" in value
