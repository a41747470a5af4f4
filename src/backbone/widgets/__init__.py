"""What a reader can move: one folder a widget, alive in Jupyter, on Colab and on a page without a kernel."""

from backbone.widgets.convolution_explorer import ConvolutionExplorer
from backbone.widgets.filter_gallery import FilterGallery, Filters

__all__ = ["ConvolutionExplorer", "FilterGallery", "Filters"]
