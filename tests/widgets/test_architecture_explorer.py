"""ArchitectureExplorer: its counts against PyTorch at several sizes, its tasks, and every control on a page."""

import functools

import page_checks
import pytest
import torch
import traitlets

from backbone import models
from backbone.models import summary
from backbone.widgets import ArchitectureExplorer
from backbone.widgets.architecture_explorer import TASKS, outline

NETWORKS = {
    "AlexNet": models.alexnet,
    "VGG-16": models.vgg16,
    "VGG-19": models.vgg19,
    "GoogLeNet": models.googlenet,
    "ResNet-18": models.resnet18,
    "ResNet-34": models.resnet34,
    "ResNet-50": models.resnet50,
    "ResNet-152": models.resnet152,
}
DEPTHS = {"AlexNet": 8, "VGG-16": 16, "VGG-19": 19, "GoogLeNet": 22, "ResNet-18": 18, "ResNet-34": 34, "ResNet-50": 50}


@functools.cache
def summary_of(name, size=224):
    with torch.device("meta"):
        return summary(NETWORKS[name](), (1, 3, size, size))


def explorer(**traits):
    return ArchitectureExplorer({name: summary_of(name) for name in NETWORKS}, **traits)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 722, 320])
def test_shot(page_with, width, theme):
    page = page_with(explorer(a="VGG-16", b="ResNet-50", path_b=[3], task="size"), width=width, theme=theme)
    page.screenshot(path=f"/tmp/w/arch_s/{width}_{theme}.png", full_page=True)
    root = page.locator(".bb-widget")
    print(root.evaluate(page_checks.TOO_WIDE), root.evaluate(page_checks.TOO_SMALL_TARGET, page_checks.SMALLEST_TARGET), root.evaluate(page_checks.TOO_SMALL_TEXT, page_checks.SMALLEST_TEXT))
    page_checks.assert_accessible(page)
