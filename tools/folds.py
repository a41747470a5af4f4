"""What a reader opens to see the code of a cell: the titles, the same on the site and in the notebooks."""

import ast

IMPORTS = "Imports"
FIGURE = "Code of this figure"
TABLE = "Code of this table"
CODE = "Code"
CHECKS = "How the numbers on this page are checked"


def title(source: str, tags) -> str | None:
    """Return the title of the fold that a cell's tags ask for; None where its code stands open."""
    if "hide-cell" in tags:
        return CHECKS
    if "hide-input" not in tags:
        return None
    body = ast.parse(source).body
    if all(isinstance(node, ast.Import | ast.ImportFrom) for node in body):
        return IMPORTS
    if not isinstance(body[-1], ast.Expr) or ast.unparse(body[-1]).startswith("print("):
        return CODE
    return TABLE if "Table(" in source and "Drawing(" not in source else FIGURE
