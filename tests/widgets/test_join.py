"""A JavaScript module is joined with what it imports, and an import that cannot work says file and line."""

import pytest

from backbone.widgets.base import HERE, join


@pytest.fixture
def folder(tmp_path):
    """Write files, name -> text, and return their folder."""

    def written(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text, "utf-8")
        return tmp_path

    return written


def test_what_is_imported_stands_in_front_each_once_and_exports_nothing(folder):
    here = folder(
        kit="export const one = 1;\nconst own = 2;\n",
        maths='import { one } from "./kit.js";\nexport function two() {\n  return one + one;\n}\n',
        widget='import { one } from "./kit.js";\nimport {\n  two,\n} from "./maths.js";\nexport const x = two();\n',
    )
    assert join(here / "widget.js") == (
        "const one = 1;\nconst own = 2;\nfunction two() {\n  return one + one;\n}\nexport const x = two();\n"
    )
    assert join(here / "kit.js").startswith("export const one")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('import { one } from "./gone.js";', "there is no ./gone.js"),
        ('import { one, four, own } from "./kit.js";', "./kit.js does not export four, own"),
        ('import { first } from "./widget.js";', "./widget.js imports this file in turn"),
        ('import one from "./kit.js";', 'write it as: import { a, b } from "./file.js";'),
        ('import "./kit.js";', "write it as"),
        ('import { h } from "https://example.org/kit.js";', "write it as"),
    ],
)
def test_an_import_that_cannot_work_says_file_and_line(folder, line, says):
    here = folder(
        kit="export const one = 1;\nconst own = 2;\n",
        maths=f"// Numbers.\n{line}\nexport const two = 2;\n",
        widget='import { two } from "./maths.js";\nexport const first = two;\n',
    )
    with pytest.raises(ImportError) as raised:
        join(here / "widget.js")
    assert str(raised.value).startswith(f"{here / 'maths.js'}:2: ")
    assert says in str(raised.value)


EXPORTS = """async (source) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    return Object.keys(await import(address)).length;
}"""


@pytest.fixture(scope="module")
def page(module_of):
    """Return the evaluate of one page for all files: what a module names stays its own."""
    return module_of("export {};")


@pytest.mark.parametrize("path", sorted(HERE.rglob("*.js")), ids=lambda path: str(path.relative_to(HERE)))
def test_every_file_is_a_module(path, page):
    """Two names of one file, or of two files joined, that clash are an error of syntax."""
    assert page(EXPORTS, join(path)) > 0 or path.name == "worker.js"  # which is run, never imported


def test_comments_of_their_own_lines_stay_behind(tmp_path):
    (tmp_path / "a.js").write_text('// One.\n/** Two\n * lines. */\nexport const a = "// no"; // three\n  // four\n')
    assert join(tmp_path / "a.js") == 'export const a = "// no"; // three\n'
