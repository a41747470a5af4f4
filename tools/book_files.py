"""What the book's own files say: `_config.yml`, `_toc.yml` and `references.bib`.

To import the modules of this folder, put the folder on `sys.path`; it is not a package.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

NAME = "backbone"  # of what a reader takes along
ARCHIVE, PDFS = f"{NAME}.zip", {"en": f"{NAME}.pdf", "ko": f"{NAME}-ko.pdf"}  # the site, and each edition printed

# Where this package is installed, jsonschema, and with it nbformat, takes two seconds more to import: it compiles
# grammars for a kind of address that no notebook has. Without it jsonschema leaves that check out.
SLOW = "rfc3987_syntax"
sys.modules.setdefault(SLOW, None)


class NotebookError(Exception):
    """Something an author can mend; the text is one sentence and says how."""

    @classmethod
    def at(cls, path: str, line: int, message: str) -> "NotebookError":
        """Return the error for a line of a file."""
        return cls(f"{path}, line {line}: {message}")


@dataclass(frozen=True)
class Repository:
    """Where the book lives, and the addresses that follow from it."""

    url: str
    owner: str
    name: str
    branch: str
    pages_url: str

    def page_url(self, docname: str, anchor: str = "") -> str:
        """Return the address of a page on the book's site."""
        return f"{self.pages_url}{docname}.html" + (f"#{anchor}" if anchor else "")

    def colab_url(self, docname: str, cell: str = "") -> str:
        """Return the address that opens a chapter's notebook on Colab, at a cell if its id is given."""
        place = f"{self.owner}/{self.name}/blob/{self.branch}/{docname}.ipynb"
        return f"https://colab.research.google.com/github/{place}" + (f"#scrollTo={cell}" if cell else "")

    @property
    def latest_url(self) -> str:
        """Return the address below which GitHub gives the files of the latest release, by their names."""
        return f"{self.url}/releases/latest/download/"

    def source_url(self, path: str) -> str:
        """Return the address at which GitHub shows a file."""
        return f"{self.url}/blob/{self.branch}/{path}"


@dataclass(frozen=True)
class Reference:
    """One entry of the bibliography, as Markdown needs it."""

    people: tuple[str, ...]  # last names, or what stands in their place
    year: str
    url: str


def read_yaml(root: Path, name: str) -> dict:
    """Return the mapping in a YAML file at the book's root."""
    import yaml

    try:
        content = yaml.safe_load((root / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookError(f"{name} is missing; it belongs at the root of the repository.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise NotebookError(f"{name}{where}: this is not valid YAML; correct it.") from None
    if not isinstance(content, dict):
        raise NotebookError(f"{name} holds no settings; it must be a YAML mapping.")
    return content


def repository(root: Path) -> Repository:
    """Return the repository that `_config.yml` names, or raise NotebookError if the address cannot work."""
    settings = read_yaml(root, "_config.yml").get("repository")
    settings = settings if isinstance(settings, dict) else {}
    url, branch = settings.get("url"), settings.get("branch")
    match = re.fullmatch(r"https://github\.com/([A-Za-z0-9](?:-?[A-Za-z0-9])*)/([\w.-]+)", str(url), re.ASCII)
    if not match or match[2].endswith(".git") or match[2] in {".", ".."}:
        raise NotebookError(
            f"repository.url is {'missing' if url is None else repr(url)}, but it must have the form "
            "https://github.com/OWNER/NAME, without a slash or .git at its end: correct it in _config.yml."
        )
    if not isinstance(branch, str) or not re.fullmatch(r"[\w./-]+", branch, re.ASCII):
        raise NotebookError(
            f"repository.branch is {'missing' if branch is None else repr(branch)}, but it must name "
            "the default branch, such as main: correct it in _config.yml."
        )
    owner, name = match.groups()
    host = f"{owner.lower()}.github.io"
    # GitHub serves the repository OWNER.github.io at the root of its host.
    pages_url = f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
    return Repository(str(url), owner, name, branch, pages_url)


def documents(root: Path) -> list[str]:
    """Return the pages of `_toc.yml` in reading order, without their suffix."""
    toc = read_yaml(root, "_toc.yml")
    found = [toc["root"]] if "root" in toc else []

    def walk(node: dict) -> None:
        for key in ("parts", "chapters", "sections", "subtrees", "entries"):
            for child in node.get(key) or []:
                if "file" in child:
                    found.append(child["file"])
                walk(child)

    walk(toc)
    return [str(name).removesuffix(".md") for name in found]


def chapters(root: Path) -> list[Path]:
    """Return the sources of the chapters in reading order."""
    return [root / f"{name}.md" for name in documents(root) if name.startswith("chapters/")]


def executed(root: Path) -> list[Path]:
    """Return the sources of the pages with code, in reading order: the chapters and the front page."""
    pages = [root / f"{name}.md" for name in documents(root)]
    return [path for path in pages if path.exists() and "```{code-cell}" in path.read_text("utf-8")]


def bibliography(root: Path) -> dict[str, Reference]:
    """Return the entries of `references.bib` by key; without the file there are none."""
    path = root / "references.bib"
    if not path.exists():
        return {}
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError

    try:
        entries = parse_file(str(path), bib_format="bibtex", encoding="utf-8").entries
    except PybtexError as error:
        raise NotebookError(f"references.bib cannot be read: {' '.join(str(error).split())}.") from None
    return {key: make_reference(key, entry) for key, entry in entries.items()}


def make_reference(key: str, entry) -> Reference:
    """Turn a pybtex entry into what a notebook shows of it."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join(person.prelast_names + person.last_names) for person in people]
    names = names or [entry.fields.get("organization", key)]
    return Reference(tuple(map(plain, names)), entry.fields.get("year", ""), address(entry.fields))


def plain(value: str) -> str:
    """Turn LaTeX into text that Markdown shows as it is."""
    from pybtex.richtext import Text

    text = " ".join(str(Text.from_latex(value)).replace("\N{NO-BREAK SPACE}", " ").split())
    return escaped(text)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([`*_\[\]<])", r"\\\1", text)


def address(fields) -> str:
    """Return the most lasting link of an entry: DOI, else URL, else arXiv, else nothing."""
    if doi := fields.get("doi"):
        url = "https://doi.org/" + re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", doi.strip())
    elif url := fields.get("url", "").strip():
        pass
    elif fields.get("eprint") and fields.get("archiveprefix", "arxiv").lower() == "arxiv":
        url = "https://arxiv.org/abs/" + fields["eprint"].strip()
    else:
        return ""
    # In .bib files some authors escape what LaTeX would read; in Markdown a bracket or space ends the link.
    url = re.sub(r"\\([_%#&~])", r"\1", url)
    return re.sub(r"[\s()<>]", lambda match: f"%{ord(match[0]):02X}", url)
