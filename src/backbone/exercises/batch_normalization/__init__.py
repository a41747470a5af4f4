"""Exercises of the chapter on batch normalization, one file each: cases, misconceptions and messages."""

from backbone.exercises.batch_normalization.batchnorm_train import check_batchnorm_train
from backbone.exercises.batch_normalization.fold import check_fold
from backbone.exercises.batch_normalization.update_running import check_update_running

__all__ = ["check_batchnorm_train", "check_fold", "check_update_running"]
