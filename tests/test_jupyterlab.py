"""A widget in JupyterLab, with a kernel: what the reader does reaches Python, and what Python sets is drawn."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import TimeoutError

from backbone.data import photo
from backbone.widgets import ConvolutionExplorer

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("jupyterlab")]

SHOW = """
from backbone.data import photo
from backbone.widgets import ConvolutionExplorer
explorer = ConvolutionExplorer({"coins": photo("coins")}, point=(27, 36), show="lab")
explorer
"""
ASK = """
import json
print(json.dumps([explorer.stride, explorer.kernel, explorer.point, float(explorer.output[tuple(explorer.point)])]))
"""
SET = "explorer.stride = 3; explorer.kernel = [[[0, 0, 0], [0, 0, 2], [0, 0, 0]]]; explorer.point = [5, 6]"
# Its records are made up: what is computed tells that the network has come, 5 MB through the kernel's own connection.
NETWORK = """
import numpy as np, torch
from backbone import pretrained
from backbone.data import photo
from backbone.widgets import BlockExplorer
from backbone.widgets.engine import jpeg, pixels
full = pretrained.load("efficientnet_lite0")
cup, packed = jpeg(photo("coffee", 224, gray=False)), pretrained.pack(full)
cases = [f"{n} {part}" for n, block in enumerate(full._blocks) if block.residual for part in ("branch", "skip")]
blocks = BlockExplorer(packed, {"cup": cup}, {"cup": "A cup"}, dict.fromkeys(["", *cases], np.zeros((1, 1000))))
blocks
"""
CUT = """
network = pretrained.rounded(full)
for block in blocks.cuts: network._blocks[int(block)].residual = False
with torch.no_grad():
    y = network(pretrained.normalize("efficientnet_lite0", torch.tensor(pixels(cup))[None])).softmax(1)[0]
print(json.dumps([len(blocks.cuts), packed.classes[y.argmax()], f"{100 * y.max():.0f} %"]))
"""


def notebook(*cells: str) -> str:
    made = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell.strip(),
        }
        for i, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def lab(tmp_path):
    """Start JupyterLab on a free port with a notebook; give the notebook's address."""
    (tmp_path / "test.ipynb").write_text(notebook(SHOW, ASK, SET, NETWORK, CUT))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    home = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    home |= {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "s"), "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "w")}
    options = [
        f"--port={port}",
        "--port-retries=0",
        f"--IdentityProvider.token={token}",
        "--no-browser",
        "--allow-root",
    ]
    log = (tmp_path / "lab.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], cwd=tmp_path, env=os.environ | home, stdout=log, stderr=log
    )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/api?token={token}", process, tmp_path / "lab.log")
        yield f"{base}/lab/tree/test.ipynb?token={token}"
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def wait_for(url, process, log):
    for _ in range(240):
        assert process.poll() is None, f"JupyterLab stopped:\n{log.read_text()}"
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


def run_cell(page, number, result):
    """Run a cell until its result is there: JupyterLab drops a key that comes while it is still setting up."""
    for _ in range(6):
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(number).click()
        page.keyboard.press("Shift+Enter")
        try:
            return result.first.wait_for(timeout=15_000)
        except TimeoutError:
            continue
    return pytest.fail(f"cell {number} gave no result; the page says: {page.locator('body').inner_text()}")


def answer_dialog(dialog):
    """Answer what JupyterLab asks of its own accord, now and then, on a busy machine, as a reader would: by default."""
    print("JupyterLab asked:", dialog.inner_text())
    dialog.locator(".jp-mod-accept").click()


def shown_sum(page) -> float:
    return float(re.search(r"[=≈] (−?[\d.]+)$", page.locator(".bb-conv-sum").text_content())[1].replace("−", "-"))


def test_traits_go_both_ways(lab, browser):
    page = browser.new_page(viewport={"width": 1100, "height": 1300})
    page.route(lambda url: not url.startswith(("http://127.0.0.1", "data:", "blob:")), lambda route: route.abort())
    page.add_locator_handler(page.locator("dialog.jp-Dialog"), answer_dialog)
    try:
        page.goto(lab)
        page.wait_for_selector(".jp-Notebook .cm-content", timeout=60_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=60_000)
        run_cell(page, 0, page.locator(".bb-widget"))

        # The reader acts; Python sees it and computes the same.
        page.locator(".bb-widget summary", has_text="More").click()
        page.locator(".bb-widget fieldset", has_text="Stride").get_by_label("2").check(force=True)
        page.locator(".bb-widget input[aria-label^=Weight]").first.fill("-1.5")
        page.locator(".bb-widget .bb-conv-map canvas").click(position={"x": 100, "y": 90})
        page.wait_for_function("document.querySelector('.bb-widget input[aria-label^=Weight]').value.includes('1.5')")
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        seen = shown_sum(page)
        answer = page.locator(".jp-OutputArea-output pre", has_text="[2, ")
        run_cell(page, 1, answer)
        stride, kernel, point, value = json.loads(answer.inner_text())
        assert (stride, kernel) == (2, [[[-1.5, -1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, 1.0, 2.0]]])
        assert point != [27, 36]
        assert seen == pytest.approx(value, abs=1e-4)

        # Python sets; the page draws it.
        run_cell(page, 2, page.locator(".bb-says", has_text="row 5, column 6"))
        expected = ConvolutionExplorer({"coins": photo("coins")}, kernel=[[0, 0, 0], [0, 0, 2], [0, 0, 0]], stride=3)
        assert shown_sum(page) == pytest.approx(expected.output[5, 6], abs=1e-4)

        # The network comes through the kernel's connection, and says what Python's says.
        run_cell(page, 3, page.locator(".bb-bl"))
        page.get_by_role("button", name="Load the network").click()
        page.locator(".bb-network [role=status]", has_text="The network is loaded").wait_for(timeout=60_000)
        page.locator(".bb-bl summary").click()
        page.get_by_role("button", name="All shortcuts out").click()
        page.locator(".bb-says", has_text="all nine shortcuts out").wait_for(timeout=60_000)
        answer = page.locator(".jp-OutputArea-output pre", has_text="[9, ")
        run_cell(page, 4, answer)
        first = page.locator(".bb-answer-list li").first.inner_text().split("\n")
        assert json.loads(answer.inner_text()) == [9, *first]
    finally:
        page.close()
