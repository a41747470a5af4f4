"""What `make colab` looks at after a notebook has run. The runs themselves are too slow for here."""

import subprocess
import sys
from pathlib import Path

import colab
import nbformat.v4 as nb
import pytest

ROOT = Path(__file__).resolve().parents[1]

VENV = Path("/somewhere/venv")
PACKAGE = f"{VENV}/lib/python3/site-packages/backbone/__init__.py"
IMPORT = "from backbone.widgets import (\n    Dot,\n)\n\nDot()"


def executed(source=IMPORT, package=PACKAGE, version=colab.WIDGETS, esm="export default {}", model="m1"):
    """Return a notebook that looks as if it had run."""
    view = nb.new_output("display_data", data={colab.VIEW: {"model_id": "m1"}})
    probe = nb.new_output("stream", text=f"{package}\n{version}\n")
    cells = [
        nb.new_markdown_cell("# Title"),
        nb.new_code_cell(source, outputs=[view]),
        nb.new_code_cell("probe", outputs=[probe]),
    ]
    states = {model: {"state": {"_esm": esm, "_anywidget_id": "backbone.widgets.dot.Dot"}}}
    return nb.new_notebook(cells=cells, metadata={"widgets": {colab.STATE: {"state": states}}})


def test_every_chapter_is_run():
    twins = colab.twins_of(ROOT)
    assert sorted(twins) == sorted((ROOT / "chapters").glob("*.ipynb"))


def test_a_notebook_with_living_widgets_is_right():
    assert colab.wrong(executed(), VENV) is None
    assert colab.views(executed()) == [(1, "m1")]


def test_what_is_handed_to_a_widget_need_not_be_shown():
    cell = nb.new_code_cell("from backbone.widgets import FilterGallery")
    assert colab.imported_widgets(cell) == {"FilterGallery"}
    cell = nb.new_code_cell("from backbone.widgets.architecture_explorer import TASKS")
    assert colab.imported_widgets(cell) == set()


def test_a_progress_bar_needs_no_javascript_of_ours():
    notebook = executed()
    bar = nb.new_output("display_data", data={colab.VIEW: {"model_id": "bar"}})
    notebook.cells.append(nb.new_code_cell("fit()", outputs=[bar]))
    states = notebook.metadata["widgets"][colab.STATE]["state"]
    states["bar"] = {"model_module": "@jupyter-widgets/controls", "model_name": "HBoxModel", "state": {}}
    notebook.cells[-1], notebook.cells[-2] = notebook.cells[-2], notebook.cells[-1]  # the probe is last
    assert colab.wrong(notebook, VENV) is None
    assert colab.views(notebook) == [(1, "m1")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"package": "/clone/src/backbone/__init__.py"}, "first code cell: it took the package from /clone"),
        ({"version": "8.1.0"}, "the package brought ipywidgets 8.1.0; pyproject.toml must allow 7.7.1."),
        ({"esm": ""}, "code cell 1: its widget has no JavaScript"),
        ({"model": "m2"}, "code cell 1: its widget has no JavaScript"),
        ({"source": "from backbone.widgets import Dot, Other"}, "code cell 1: Other is imported but never shown."),
    ],
    ids=["package", "version", "no code", "no state", "not shown"],
)
def test_what_is_wrong_is_said_with_its_cell(changes, said):
    assert said in colab.wrong(executed(**changes), VENV)


def test_a_failed_install_is_not_hidden_by_the_missing_module():
    notebook = executed()
    notebook.cells[1].outputs = [
        nb.new_output("stream", text="...\n\x1b[31mERROR: no such thing\x1b[0m\x1b[31m\r\n\x1b[0m")
    ]
    assert colab.pip_error(notebook) == " (pip: ERROR: no such thing)"
    assert colab.pip_error(executed()) == ""


def test_what_runs_a_notebook_there_needs_only_python():
    """The environment stands in for Colab, which has no Jupyter Book and no jupytext."""
    imports = colab.RUNNER.partition("notebook =")[0].replace("import nbformat\n", "")
    assert "sys.path" in imports
    subprocess.run([sys.executable, "-I", "-S", "-c", imports, str(ROOT / "tools")], check=True)


def test_git_goes_to_the_clone_and_python_is_its_own(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    env = colab.environment(Path("/clone"), "https://github.com/a/b")
    assert (env["GIT_CONFIG_COUNT"], env["GIT_CONFIG_KEY_1"]) == ("2", "url.file:///clone.insteadOf")
    assert env["GIT_CONFIG_VALUE_1"] == "https://github.com/a/b"
    assert "PYTHONPATH" not in env
