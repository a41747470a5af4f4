"""Exercises of the chapter on vanishing gradients, one file each: cases, misconceptions, and what is said of them."""

from backbone.exercises.vanishing_gradients.clip_by_norm import check_clip_by_norm
from backbone.exercises.vanishing_gradients.first_layer_factor import check_first_layer_factor
from backbone.exercises.vanishing_gradients.he_std import check_he_std
from backbone.exercises.vanishing_gradients.sigmoid_prime import check_sigmoid_prime

__all__ = ["check_clip_by_norm", "check_first_layer_factor", "check_he_std", "check_sigmoid_prime"]
