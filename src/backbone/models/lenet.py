"""LeNet-5 in its modern form.

Source: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", section II-B.

| where | the paper | here |
| --- | --- | --- |
| activation | scaled tanh | ReLU |
| subsampling | averages with a learned weight and bias for each map, then a sigmoid | max pooling |
| second convolution | each map sees some of the first six | each sees all six |
| output | radial basis functions | a linear layer |
| input | 32 x 32 | 28 x 28, padded by 2 in the first convolution |
"""

import torch
from torch import nn

from backbone.models.initialization import initialize
from backbone.models.taps import Tap


class LeNet(nn.Module):
    """Two convolutions with pooling, three linear layers: 61,706 parameters for ten classes."""

    taps = (Tap("relu1", 6, 1), Tap("pool1", 6, 2), Tap("relu2", 16, 2), Tap("pool2", 16, 4))

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(120, 84)
        self.relu4 = nn.ReLU()
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 1, 28, 28) to logits (N, num_classes)."""
        x = self.pool1(self.relu1(self.conv1(x)))  # (N, 6, 14, 14)
        x = self.pool2(self.relu2(self.conv2(x)))  # (N, 16, 5, 5)
        x = self.relu3(self.fc1(self.flatten(x)))  # (N, 120)
        x = self.relu4(self.fc2(x))  # (N, 84)
        return self.fc3(x)


def lenet(num_classes: int = 10, generator: torch.Generator | None = None) -> LeNet:
    """Build LeNet-5.

    Args:
        num_classes: number of outputs.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    model = LeNet(num_classes)
    return model if generator is None else initialize(model, generator)
