"""What a reader can move: one folder a widget, alive in Jupyter, on Colab and on a page without a kernel."""

from backbone.widgets.activation_explorer import ActivationExplorer
from backbone.widgets.architecture_explorer import ArchitectureExplorer
from backbone.widgets.augmentation_explorer import AugmentationExplorer
from backbone.widgets.backpropagation import Backpropagation
from backbone.widgets.batch_norm_explorer import BatchNormExplorer
from backbone.widgets.block_explorer import BlockExplorer
from backbone.widgets.confusion_matrix import ConfusionMatrix
from backbone.widgets.convolution_explorer import ConvolutionExplorer
from backbone.widgets.dropout_explorer import DropoutExplorer
from backbone.widgets.feature_map_explorer import FeatureMapExplorer
from backbone.widgets.filter_gallery import FilterGallery
from backbone.widgets.gradient_explorer import GradientExplorer
from backbone.widgets.inception_explorer import InceptionExplorer
from backbone.widgets.lenet_trainer import LenetTrainer
from backbone.widgets.playground import Playground
from backbone.widgets.receptive_field import ReceptiveField
from backbone.widgets.residual_explorer import ResidualExplorer
from backbone.widgets.shape_explorer import ShapeExplorer
from backbone.widgets.skip_connection import SkipConnection
from backbone.widgets.stage_explorer import StageExplorer
from backbone.widgets.teach_explorer import TeachExplorer
from backbone.widgets.threshold_explorer import ThresholdExplorer
from backbone.widgets.transfer_explorer import TransferExplorer

__all__ = [
    "ActivationExplorer",
    "ArchitectureExplorer",
    "AugmentationExplorer",
    "Backpropagation",
    "BatchNormExplorer",
    "BlockExplorer",
    "ConfusionMatrix",
    "ConvolutionExplorer",
    "DropoutExplorer",
    "FeatureMapExplorer",
    "FilterGallery",
    "GradientExplorer",
    "InceptionExplorer",
    "LenetTrainer",
    "Playground",
    "ReceptiveField",
    "ResidualExplorer",
    "ShapeExplorer",
    "SkipConnection",
    "StageExplorer",
    "TeachExplorer",
    "ThresholdExplorer",
    "TransferExplorer",
]
