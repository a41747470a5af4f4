"""Pictures to work on: photographs, Fashion-MNIST, and what is done to them before a network sees them."""

from backbone.data.cifar10 import CIFAR10_CLASSES, CIFAR10_STATISTICS
from backbone.data.download import DownloadError
from backbone.data.fashion_mnist import FASHION_MNIST_STATISTICS, LabeledImages, fashion_mnist
from backbone.data.flowers import flowers
from backbone.data.imagenet import imagenet_classes
from backbone.data.photos import PHOTOS, Photo, photo, photo_from
from backbone.data.transforms import (
    Statistics,
    batches,
    channel_statistics,
    random_brightness,
    random_crop,
    random_flip,
    standardize,
    to_float,
)

__all__ = [
    "CIFAR10_CLASSES",
    "CIFAR10_STATISTICS",
    "FASHION_MNIST_STATISTICS",
    "PHOTOS",
    "DownloadError",
    "LabeledImages",
    "Photo",
    "Statistics",
    "batches",
    "channel_statistics",
    "fashion_mnist",
    "flowers",
    "imagenet_classes",
    "photo",
    "photo_from",
    "random_brightness",
    "random_crop",
    "random_flip",
    "standardize",
    "to_float",
]
