"""What is known about CIFAR-10. Its pictures carry no licence, so the book ships none; networks are trained on them."""

import torch

from backbone.data.transforms import Statistics

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_STATISTICS = Statistics(mean=torch.tensor([0.4913, 0.4821, 0.4465]), std=torch.tensor([0.2452, 0.2428, 0.2606]))
"""Mean and standard deviation of the red, green and blue of the 50,000 training pictures, in [0, 1], kept as JPEG.
``experiments/train_cifar.py`` measures the mean again before it trains."""
