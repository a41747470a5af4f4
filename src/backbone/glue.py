"""Carry a computed number from a cell into the prose of its page."""

from IPython.display import display

PREFIX = "application/papermill.record/"


def glue(name: str, value: float | int | str) -> None:
    """Print ``name = value`` and keep the value, so that the page's text can show it.

    In the text, ``{glue:text}`name:.2f` `` prints it with two decimals. The record has the form that MyST-NB reads;
    its own ``glue`` is not used because it needs MyST-NB, which Colab does not have.

    Args:
        name: letters, digits and underscores; unique on the page.
        value: a number or a short text. NumPy and PyTorch scalars become plain numbers.

    Raises:
        ValueError: the name is not an identifier, or the value is an array or another long thing.
    """
    if not str(name).isidentifier():
        raise ValueError(f"glue: name is {name!r}; it must be letters, digits and underscores, such as 'loss_after'")
    if hasattr(value, "item"):
        if getattr(value, "ndim", 0):
            raise ValueError(f"glue: {name} is an array of shape {tuple(value.shape)}; glue one number of it")
        value = value.item()
    if not isinstance(value, int | float | str):
        raise ValueError(f"glue: {name} is a {type(value).__name__}; it must be a number or a text")
    record = {PREFIX + "text/plain": repr(value)}
    display(record, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": PREFIX}})
    print(f"{name} = {value}")
