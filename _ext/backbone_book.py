"""What the book's pages do beyond Jupyter Book, but for what has a module of its own beside this one.

* A chapter whose outputs changed is read again, though its text did not change.
* Widget states are cut down to what a page shows, and stand behind its first figure; code lies in files of its own.
* A widget that the page could not draw fails the build, and so does an output that differs in every build.
* Folded code says what it is the code of; the cells that only check a page's numbers stand in one fold at its end.
* An exercise says where it is solved, because nobody can type on a page.
* The faces of the text are asked for first.
* The download button says what each file is, and offers the whole book as well.
* A page says at its end with what its outputs were computed, and when.
* Every id stands once on a page, and a solution opens where its title is clicked.
"""

from __future__ import annotations

import hashlib
import html
import importlib.util
import json
import os
import re
import sys
from datetime import date
from pathlib import Path
from textwrap import shorten
from urllib.parse import urlsplit

import sphinxext.opengraph
from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.errors import SphinxError
from sphinx.transforms.post_transforms import SphinxPostTransform

if "BACKBONE_BUILD" in os.environ and (WIDGETS := "backbone.widgets") not in sys.modules:
    # In a build, a process of its own: a page needs the classes of its own figures. This face imports those of all, and
    # with them PyTorch, which takes seconds of each build; so it stays unread.
    sys.modules[WIDGETS] = importlib.util.module_from_spec(importlib.util.find_spec(WIDGETS))

from backbone import language
from backbone.widgets.engine import ENGINE

sys.path.append(str(Path(__file__).parents[1] / "tools"))  # Sphinx finds this folder alone

import book_files
import edition
import figures
import folds
import korean
from finding import book_list

# What tools/book.py says: where the outputs lie, a key for each chapter's, and the site's address. Without it, when
# Sphinx is run by hand, nothing is known of old outputs, and every chapter is executed.
TOLD = json.loads(os.environ.get("BACKBONE_BUILD", "{}"))

HOST = "widget-host.js"
FRONT_END = {".js", ".css"}
ADDRESS = re.compile(r"<[^<>]+ at 0x[0-9a-f]+>")
SENTENCE_END = re.compile(r"(?<=[.?!])\s+")

# The room of a view, at both widths: what stands below does not move when it is drawn.
PLACE = '<div class="bb-view" style="--wide: {}px; --narrow: {}px"></div>'

# Leads to the figure alone, as large as the screen (page.js).
ENLARGE = (
    '<a class="bb-enlarge" href="?alone={anchor}" aria-label="{name}: {caption}">'
    '<i class="fas fa-expand" aria-hidden="true"></i> {name}</a>'
)
ENLARGE_NAME = "Enlarge"

# Stands where a widget would be, for readers whose browser runs no scripts.
NO_SCRIPT = '<noscript><p class="bb-failed">This figure moves, and needs JavaScript.</p></noscript>'

TABLE = '<div class="pst-scrollable-table-container">'

# MathJax's menu can load speech rules from a CDN; readers keep the hidden MathML, which needs no network.
MATHJAX = {"options": {"enableMenu": False}}

# The faces of the text, asked for before the style sheets are there that name them. A page in a folder may not.
FACES = ("text", "text-italic")
ASK_FOR_FACES = """
<script>
  for (const href of {addresses}) {{
    if (location.protocol === "file:") break;
    const face = {{ rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href }};
    document.head.append(Object.assign(document.createElement("link"), face));
  }}
</script>
"""

# Who listens to a page goes from heading to heading, so an exercise has one; and hears where code or its output begins
# and ends. Code in a fold is named by the fold.
EXERCISE = re.compile(r'(?<=<div class="exercise admonition" )(id="[^"]*">\s*<p) (?=class="admonition-title">)')
CODE_IN_SIGHT = re.compile(r'(?<!</summary>\n)<div (?=class="cell_input docutils container">)')
OUTPUT = re.compile(r'<div (?=class="output (?:text_plain|stream)\b)')
CODE_NAME, OUTPUT_NAME = "Code", "Output"

# A section of this name is closed until a reader asks for it.
FURTHER = "Further exercises"
FURTHER_SHOWN = "Show them"

# Above the cell of an exercise, which nobody can run on a page; the notebook lies where the download button finds it.
SOLVE = (
    '<p class="bb-note bb-solve">This page cannot run code; the chapter\'s notebook can. '
    "There, under Exercise {number}, write in place of “...”, and run the cell: it checks your answer. "
    '<a href="{colab}">Write it on Colab</a>, '
    'or <a href="../_sources/{docname}.ipynb" download>download the notebook</a>.</p>'
)


# What the pages are that have no source, which a search engine shows; of all others it is their first sentences.
DESCRIBED = {
    "404": "No page of this book has this address. Links lead on to its chapters, its search and its figures.",
    "search": "Search the chapters, figures and glossary of this book.",
}

# With what a page's outputs were computed; what an older version kept has no day.
RAN = "Executed with {versions} on {day} in {seconds} s."
RAN_ONCE = "Executed with {versions} in {seconds} s."


# What the theme's download button offers, by the theme's own names.
DOWNLOADS = "Download"
OF_THIS_PAGE = {
    "download-notebook-button": "This page as a notebook",
    "download-source-button": "This page as Markdown",
    "download-pdf-button": "This page as a PDF",
}
# The files of a release, as what they are and with the theme's icon.
THE_SITE, THE_BOOK = ("The whole site, offline", "fas fa-download"), ("The book as a PDF", "fas fa-file-pdf")


class PageError(SphinxError):
    """An output that a page could not show as its author meant it."""

    category = "Page"


def front_end_key(root: Path) -> str:
    """Return a hash of all that pages show besides their text: when it changes, pages are written again.

    That is the widgets' JavaScript and CSS, the palette, this extension, and the site's own files, which Sphinx copies
    only when it writes a page.
    """
    widgets = [path for path in source_files(root) if path.suffix in FRONT_END or path.name == "palette.py"]
    own = [path for folder in ("_static", "_ext") for path in (root / folder).rglob("*.*") if path.suffix != ".pyc"]
    own += [root / "tools" / name for name in ("figures.py", "folds.py", "outline.py", "policy.py", "slim.py")]
    if "english" in TOLD:
        own += [*(root / "src" / "backbone" / "language").rglob("*.*"), root / "tools" / "korean.py"]
    files = [*widgets, *sorted(path for path in own if path.is_file())]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


def source_files(root: Path) -> list[Path]:
    """List the package's files, sorted, without what Python leaves behind."""
    files = (root / "src" / "backbone").rglob("*")
    return sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)


def configure(app, config):
    """Fill in the settings that are computed."""
    # Set before any kernel starts: the same seed gives other bits with another number of threads.
    os.environ["OMP_NUM_THREADS"] = "1"
    if TOLD:
        config.nb_execution_cache_path, address = TOLD["outputs"], TOLD["address"]
        config.backbone_english = TOLD.get("english", "")
        config.backbone_korean = TOLD["korean"]
        own = f"{address}{korean.CODE}/" if config.language == korean.CODE else address
        config.html_baseurl = config.ogp_site_url = own
        config.notfound_urls_prefix = urlsplit(address).path  # the server shows it at any address
    else:
        config.nb_execution_mode = "force"
    body = config.notfound_context["body"].replace("{site}", config.notfound_urls_prefix or "/")
    config.notfound_context = config.notfound_context | {"body": body}
    # In a text: {latest}`words <name of a file that a release carries>`.
    config.extlinks = {"latest": (f"{book_files.repository(Path(app.srcdir)).latest_url}%s", "%s")}
    config.backbone_front_end = front_end_key(Path(app.srcdir))
    config.mathjax3_config = MATHJAX
    config.html_js_files = [
        (script, {"defer": "defer"}) if script == "search.js" else script  # after the index
        for script in config.html_js_files
    ]


def with_new_outputs(app, env, added, changed, removed):
    """Name the pages to be read again because their outputs are others than when they were read."""
    runs = {page: [key, TOLD["runs"][page]] for page, key in TOLD.get("keys", {}).items()}
    known, env.backbone_keys = getattr(env, "backbone_keys", {}), runs
    return [page for page in env.found_docs - added if not TOLD or known.get(page) != env.backbone_keys.get(page)]


def find_models(app, doctree, docname):
    """Keep of a page's widget state the models that its views show, in their order, for `add_figures`."""
    scripts = app.env.nb_metadata.get(docname, {}).get("js_files", {})
    shown = "\n".join(node.astext() for node in doctree.findall() if node.tagname == "raw")
    views = [json.loads(view)["model_id"] for view in figures.VIEW_TAG.findall(shown)]
    _, attributes = scripts.get("ipywidgets_state", (None, {"body": '{"state": {}}'}))
    content = json.loads(attributes["body"])
    models = {view: shown_model(docname, content["state"], view) for view in views}
    app.env.backbone_models = getattr(app.env, "backbone_models", {}) | {docname: models}


def shown_model(docname: str, state: dict, model_id: str) -> dict:
    """Return the model that a view names, checked."""
    where = f"{docname}: a cell shows"
    if model_id not in state:
        raise PageError(f"{where} a widget that was closed or never kept; show a widget that is still open.")
    model = state[model_id]
    name = model["state"].get("_anywidget_id", "")
    if not name.startswith("backbone.widgets."):
        kind = name or model.get("model_name", "a widget without a name")
        raise PageError(
            f"{where} {kind}, which needs a kernel and would be blank here; use a widget from backbone.widgets."
        )
    room(docname, model["state"])
    return model


def class_of(state: dict) -> type:
    """Return the class of a widget by its state."""
    module, _, cls = state["_anywidget_id"].rpartition(".")
    return getattr(importlib.import_module(module), cls)


def room(docname: str, state: dict, code: str = edition.ENGLISH) -> tuple[int, int]:
    """Return how high a widget is once it is drawn, on a wide page and on a phone, with the words of a language."""
    widget, show = class_of(state), state.get("show", "")
    if show not in widget.room:
        raise PageError(f"{docname}: {widget.__name__}.room has no height for show={show!r}; measure it and add it.")
    return language.table(code, "rooms").get(widget.__name__, {}).get(show, widget.room[show])


class NameFolds(SphinxPostTransform):
    """Give each fold of code its title, and gather at the page's end the cells that only check its numbers."""

    default_priority = 190  # before MyST-NB makes the folds
    formats = ("html",)

    def run(self):
        """Change the tree of one page."""
        checks = []
        for cell in list(self.document.findall(lambda node: "hide_mode" in getattr(node, "attributes", {}))):
            title = folds.title(cell[0].astext(), cell["cell_metadata"].get("tags", []))
            if title == folds.CHECKS:
                del cell["hide_mode"]
                cell.parent.remove(cell)
                checks.append(cell)
            elif title:
                cell["prompt_show"] = cell["prompt_hide"] = title
                cell["classes"] += ["bb-aside"] * (title != folds.CODE)  # not on paper (site.css)
        if checks:
            self.document[0].append(fold(folds.CHECKS, checks))
            self.document[0][-1]["classes"].append("bb-checks")
        for section in self.document.findall(nodes.section):
            if edition.headline(section) == FURTHER:
                section[1:] = [fold(FURTHER_SHOWN, section[1:])]


def fold(title: str, children: list) -> nodes.container:
    """Return a closed fold, which looks like that of a cell."""
    details = HideCodeCellNode("", *children, prompt_show=title, prompt_hide=title, classes=["above-input"])
    return nodes.container("", details, classes=["cell"])


def lead_to_notebook(app, doctree, docname):
    """Say above an exercise's cell where it can be solved, instead of a report below that nobody passed."""
    repository = book_files.repository(Path(app.srcdir))
    for label, report in reports(doctree):
        output = report
        while "cell_output" not in output["classes"]:
            output = output.parent
        # The notebook calls the cell as the exercise is labeled (tools/notebooks.py).
        colab, (number,) = repository.colab_url(docname, label), app.env.toc_fignumbers[docname]["exercise"][label]
        cell, says = output.parent, SOLVE.format(colab=colab, docname=docname, number=number)
        cell.remove(output)
        cell.insert(0, nodes.raw("", says, format="html"))


def reports(doctree) -> list[tuple[str, nodes.raw]]:
    """Return what the checks of exercises report, each with the label of the exercise above it."""
    found, label = [], ""
    for node in doctree.findall():
        if node.tagname == "exercise_enumerable_node":
            label = node["label"]
        elif isinstance(node, nodes.raw) and "bb-report-failed" in node.astext():
            found.append((label, node))
    return found


def name_once(app, doctree, docname):
    """Give what sphinx-exercise names alike in all exercises an id of its own, and a solution a title without a link.

    The title is what a reader clicks to open the solution; the exercise that it would lead to stands just above.
    """
    for section in doctree.findall(nodes.section):
        if section["ids"] in (["exercise-content"], ["solution-content"]):
            section["ids"] = [f"{name.replace('/', '-')}-content" for name in section.parent["ids"][:1]]
    for solution in doctree.findall(lambda node: node.tagname == "solution_node"):
        for link in list(solution[0].findall(nodes.reference)):
            link.replace_self(link.children)


def refuse_addresses(app, doctree, docname):
    """Raise where a cell shows an object by its address in memory, as it shows a closed widget."""
    for node in doctree.findall(nodes.literal_block):
        if "output" in node["classes"] and (found := ADDRESS.search(node.astext())):
            raise PageError(
                f"{docname}: a cell shows {found[0]}, another address in every build; "
                "show a value, a figure or an open widget, or end the cell's last line with a semicolon."
            )


def add_figures(app, pagename, templatename, context, doctree):
    """Keep room for each widget of a page, and put behind the first what draws them.

    The host runs there at once, with the first widget's code at hand, before a browser has read the rest of the page.
    """
    models = getattr(app.env, "backbone_models", {}).get(pagename)
    if not models:
        return

    captions = {anchor: caption for anchor, caption, _ in book_list(app.env, "figures")[pagename]}

    def with_room(view) -> str:
        height = room(pagename, models[json.loads(view[1])["model_id"]]["state"], app.config.language)
        anchor = view.string[: view.start()].rpartition('id="')[2].partition('"')[0]
        name = edition.words(app).tell(ENLARGE_NAME)
        enlarge = ENLARGE.format(anchor=anchor, name=name, caption=html.escape(captions[anchor]))
        return view[0] + PLACE.format(*height) + NO_SCRIPT + enlarge

    def address(name: str, text: str) -> str:
        return f"{context['pathto'](f'_static/{name}', resource=True)}?v={figures.version(text)[:8]}"

    scripts = {}
    for name, model in {figures.class_name(model): model for model in models.values()}.items():
        text = figures.script(name, class_of(model["state"]), edition.telling(app))
        file = Path(app.outdir) / "_static" / "widgets" / f"{name}.js"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
        scripts[name] = address(f"widgets/{name}.js", text)
    up = edition.shared(app)
    networks = {
        name: {part: up + address(*file) for part, file in network_files(app, pagename, name, crc).items()}
        for name, crc in {(m["state"]["network"], m["state"]["crc"]) for m in models.values() if "crc" in m["state"]}
    }
    for model_id, model in models.items():
        if "crc" in model["state"]:
            license_ = {"license": networks[model["state"]["network"]]["license"]}
            models = models | {model_id: model | {"state": model["state"] | license_}}
    host = address(HOST, (Path(app.srcdir) / "_static" / HOST).read_text("utf-8"))
    tags = [f'<script src="{source}"></script>' for source in (next(iter(scripts.values())), host)]
    above, first, below = figures.VIEW_TAG.sub(with_room, context["body"]).partition(NO_SCRIPT)
    formulas = take_mathjax(context)
    state, later = figures.state(models, scripts, formulas, networks)
    context["body"] = "\n".join([above + first, state, *tags, below, later])


def network_files(app, pagename: str, name: str, crc: int) -> dict[str, tuple[str, str]]:
    """Write the files of a network that a reader may ask for, unless they are there; return each with its version.

    The weights' license, and what was changed in them, lie beside them.
    """
    folder = Path(app.config.backbone_english or app.outdir) / "_static" / "networks"
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}-{crc:08x}.js"
    if not weights.exists():
        from backbone import pretrained  # PyTorch: seconds that a build with no new network saves

        packed = pretrained.pack(pretrained.load(name))
        if packed.checksum != crc:
            raise PageError(
                f"{pagename}: a figure was made with other weights of {name} than are installed; run: make clean book"
            )
        for old in folder.glob(f"{name}-*.js"):
            old.unlink()
        apache = (Path(app.srcdir) / "_extra" / "mathjax" / "LICENSE").read_text("utf-8")  # the same license, 2.0
        notice = pretrained.NOTICE.format(file=weights.name)
        (folder / f"{name}-LICENSE.txt").write_text(f"{notice}\n{apache}", "utf-8")
        weights.write_text(figures.network_script(name, packed), "utf-8")
    engine = figures.engine_script(ENGINE)
    (folder / "engine.js").write_text(engine, "utf-8")
    return {
        "weights": (f"networks/{weights.name}", f"{crc:08x}"),
        "engine": ("networks/engine.js", engine),
        "license": (f"networks/{name}-LICENSE.txt", f"{crc:08x}"),
    }


def take_mathjax(context: dict) -> str | None:
    """Take MathJax from the page's head, where its file is now fetched without being run; return its address."""
    for script in context["script_files"]:
        if "mathjax" in str(getattr(script, "filename", None)):
            context["script_files"].remove(script)
            source = re.search(r'src="([^"]*)"', context["js_tag"](script))[1]
            context["metatags"] += f'<link rel="preload" as="script" fetchpriority="low" href="{source}" />'
            return source
    return None


def heard(body: str, words) -> str:
    """Return what a page says with roles and names for what only eyes would tell apart."""
    above, further, below = body.partition('<section id="further-exercises">')
    above, below = (EXERCISE.sub(rf'\1 role="heading" aria-level="{n}" ', part) for n, part in ((3, above), (4, below)))
    for kind, name in ((CODE_IN_SIGHT, CODE_NAME), (OUTPUT, OUTPUT_NAME)):
        named = f'<div role="group" aria-label="{words.tell(name)}" '
        above, below = (kind.sub(named, part) for part in (above, below))
    return above + further + below


def choose_scripts(app, pagename, templatename, context, doctree):
    """Leave out of a page's head the scripts it does not use, and those that stand in the article."""
    # The theme lets a wide table scroll; keys can scroll it too once it can have the focus.
    body = (context.get("body") or "").replace(TABLE, TABLE.replace(">", ' tabindex="0">'))
    context["body"] = body = figures.lighter(heard(body, edition.words(app)))

    def wanted(script) -> bool:
        text = str(getattr(script, "filename", None) or script) + str(getattr(script, "attributes", ""))
        if "search.js" in text:
            return pagename == "search"
        if "mathjax" in text.lower():
            return 'class="math' in body
        unused = ("thebe", "sphinx_highlight", HOST, "widget-state+json", "translations.js")
        return not any(name in text for name in unused)

    context["script_files"] = [script for script in context.get("script_files", []) if wanted(script)]
    context["css_files"] = [style for style in context["css_files"] if "thebe" not in str(style.filename)]
    addresses = [context["pathto"](f"_static/fonts/{name}.woff2", resource=True) for name in FACES]
    context["metatags"] = context.get("metatags", "") + ASK_FOR_FACES.format(addresses=json.dumps(addresses))


def describe(app, pagename, templatename, context, doctree):
    """Say in the head of a page without a source what it is."""
    if pagename in DESCRIBED:
        said = html.escape(edition.words(app).tell(DESCRIBED[pagename]))
        context["metatags"] = context.get("metatags", "") + f'<meta name="description" content="{said}" />'


def opening(doctree: nodes.document, most: int, titles: set[str]) -> str:
    """Return the sentences with which a page opens, as many as have room; the first in any case.

    For whoever finds or shares the page, in place of sphinxext-opengraph's own way, for which it has no setting: that
    runs on into buttons, letters and headings, and cuts a word.
    """
    paragraphs = [
        part for part in next(doctree.findall(nodes.section), doctree).children if type(part) is nodes.paragraph
    ]
    sentences = SENTENCE_END.split(" ".join(" ".join(part.astext().split()) for part in paragraphs))
    said = shorten(sentences[0], most, placeholder=" …")
    for words in (" ".join(sentences[:number]) for number in range(2, len(sentences) + 1)):
        if len(words) > most or "\\" in words:  # a formula
            break
        if words.endswith((".", "?", "!", ")")) and words.count("(") == words.count(")"):
            said = words
    return html.escape(said, quote=False)


def name_downloads(app, pagename, templatename, context, doctree):
    """Say in the menu of the download button what each file is, and offer the whole book as well."""
    latest = book_files.repository(Path(app.srcdir)).latest_url
    whole = {book_files.ARCHIVE: THE_SITE, book_files.PDFS[app.config.language]: THE_BOOK}
    for group in context.get("header_buttons", []):
        if group.get("label") == "download-buttons":
            group["tooltip"] = DOWNLOADS
            for button in group["buttons"]:
                button |= {"text": OF_THIS_PAGE[button["label"]], "tooltip": None}
            group["buttons"] += [
                {"type": "link", "url": f"{latest}{name}", "text": text, "icon": icon}
                for name, (text, icon) in whole.items()
            ]


def say_when_it_ran(app, pagename, templatename, context, doctree):
    """Say at a page's end with what its outputs were computed, and when."""
    if run := TOLD.get("runs", {}).get(pagename):
        if run["day"] and app.config.language == edition.ENGLISH:
            day = date.fromisoformat(run["day"])
            run = run | {"day": f"{day:%B} {day.day}, {day.year}"}
        said = edition.words(app).tell(RAN if run["day"] else RAN_ONCE).format(**run)
        context["theme_extra_footer"] = f'<p class="bb-ran">{said}</p>'


def setup(app):
    """Connect the extension."""
    sphinxext.opengraph.get_description = opening
    app.add_post_transform(NameFolds)
    app.add_config_value("backbone_front_end", "", "html")
    app.connect("config-inited", configure)
    app.connect("env-get-outdated", with_new_outputs)
    app.connect("doctree-resolved", find_models, priority=900)
    app.connect("doctree-resolved", refuse_addresses)
    app.connect("doctree-resolved", name_once)
    app.connect("doctree-resolved", lead_to_notebook)
    app.connect("html-page-context", choose_scripts, priority=900)
    app.connect("html-page-context", add_figures, priority=901)
    app.connect("html-page-context", say_when_it_ran)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", name_downloads, priority=502)  # behind the theme, which makes the button
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
