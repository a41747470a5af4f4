"""The official ImageNet weights of torchvision, fetched once from its address, checked, and loaded strictly.

Source: torchvision 0.29, ``torchvision.models``, weights ``IMAGENET1K_V1``; the files lie where ``ADDRESS`` says. The
first eight digits of a file's SHA-256 stand in its name. Eight find damage; a file made on purpose to have them takes
minutes. ``DIGESTS`` has all 64 where two strangers at least have published the same: not of vgg11, vgg13, vgg11_bn and
vgg13_bn. torchvision's code is under the BSD 3-Clause License; its authors ask users of the weights to look up whether
the terms of ImageNet allow their use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from backbone import models
from backbone.data.download import fetch

ADDRESS = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Weights:
    """Where a network's official weights are, and what they want to see.

    Attributes:
        build: makes the network that the file was saved from.
        file: its name; between the last "-" and ".pth" stand the first digits of its SHA-256.
        top1: accuracy on the 50,000 validation pictures of ImageNet, one central cut, in percent.
        top5: the same, where the right class may be among the five likeliest.
        resize: length that the shorter side of a picture is brought to, in pixels.
        crop: side of the central square that is cut from it, in pixels.
        untrained: names of parts that the file holds as they were drawn; they are taken out after loading.
    """

    build: Callable[[], nn.Module]
    file: str
    top1: float
    top5: float
    resize: int = 256
    crop: int = 224
    untrained: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The file's SHA-256, or as many of its first digits as are known, 8 at least."""
        first = Path(self.file).stem.rpartition("-")[2]
        return next((digest for digest in DIGESTS if digest.startswith(first)), first)


DIGESTS = (
    "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",  # alexnet
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",  # vgg16
    "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",  # vgg19
    "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a",  # vgg16_bn
    "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6",  # vgg19_bn
    "1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef",  # googlenet
    "0cc3c7bd75056d25e46cba549dc184522069b81e9787eff6df84f397bd52a5ef",  # inception_v3
    "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",  # resnet18
    "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",  # resnet34
    "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",  # resnet50
    "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",  # resnet101
    "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",  # resnet152
)


def _googlenet() -> nn.Module:
    return models.googlenet(transform_input=True)


def _inception_v3() -> nn.Module:
    return models.inception_v3(transform_input=True)


OFFICIAL = {
    "alexnet": Weights(models.alexnet, "alexnet-owt-7be5be79.pth", 56.522, 79.066),
    "vgg11": Weights(models.vgg11, "vgg11-8a719046.pth", 69.020, 88.628),
    "vgg13": Weights(models.vgg13, "vgg13-19584684.pth", 69.928, 89.246),
    "vgg16": Weights(models.vgg16, "vgg16-397923af.pth", 71.592, 90.382),
    "vgg19": Weights(models.vgg19, "vgg19-dcbb9e9d.pth", 72.376, 90.876),
    "vgg11_bn": Weights(models.vgg11_bn, "vgg11_bn-6002323d.pth", 70.370, 89.810),
    "vgg13_bn": Weights(models.vgg13_bn, "vgg13_bn-abd245e5.pth", 71.586, 90.374),
    "vgg16_bn": Weights(models.vgg16_bn, "vgg16_bn-6c64b313.pth", 73.360, 91.516),
    "vgg19_bn": Weights(models.vgg19_bn, "vgg19_bn-c79401a0.pth", 74.218, 91.842),
    "googlenet": Weights(_googlenet, "googlenet-1378be20.pth", 69.778, 89.530, untrained=("aux1", "aux2")),
    "inception_v3": Weights(_inception_v3, "inception_v3_google-0cc3c7bd.pth", 77.294, 93.450, resize=342, crop=299),
    "resnet18": Weights(models.resnet18, "resnet18-f37072fd.pth", 69.758, 89.078),
    "resnet34": Weights(models.resnet34, "resnet34-b627a593.pth", 73.314, 91.420),
    "resnet50": Weights(models.resnet50, "resnet50-0676ba61.pth", 76.130, 92.862),
    "resnet101": Weights(models.resnet101, "resnet101-63fe2227.pth", 77.374, 93.546),
    "resnet152": Weights(models.resnet152, "resnet152-394f9c45.pth", 78.312, 94.046),
}


def load_official(name: str, progress: bool = True) -> nn.Module:
    """Build a network with its official weights, in eval mode; see ``backbone.pretrained.load``."""
    weights = OFFICIAL[name]
    with torch.device("meta"):  # first weights would be drawn for nothing: seconds, for a VGG
        model = weights.build()
    numbers = sum(value.numel() for value in model.state_dict().values())
    limit = 4 * numbers + (1 << 20)  # float32, their names, and a counter here and there that takes 8 bytes
    path = fetch(ADDRESS + weights.file, weights.sha256, weights.file, progress=progress, limit=limit)
    state = torch.load(path, weights_only=True, map_location="cpu")
    try:
        model.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, TypeError) as error:  # other names or shapes; no weights at all
        raise RuntimeError(
            f"pretrained.load: {path} does not hold the weights of {name!r}. Delete it and load again. {error}"
        ) from error
    for part in weights.untrained:
        delattr(model, part)
        model.aux_logits = False
    return model.eval()
