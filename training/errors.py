"""What can go wrong in training.

TrainingError
├── DatasetError      the data set is missing, malformed or not what it says
├── RecipeError       a recipe file that can't be used
├── DeviceError       the device asked for is not on this machine
├── CheckpointError   a checkpoint that is missing or belongs to another recipe
├── ExportError       the exported model does not equal the trained one, or has no place to go
└── ModelFileError    a model file that is missing or breaks the classifier's contract
"""


class TrainingError(Exception):
    """Any failure that the person who started the training can mend."""


class DatasetError(TrainingError):
    """The data set is missing, malformed or not what it says."""


class RecipeError(TrainingError):
    """A recipe file can't be read, or has a bad or unknown key."""


class DeviceError(TrainingError):
    """The device asked for is unknown, or not on this machine."""


class CheckpointError(TrainingError):
    """A checkpoint is missing or belongs to another recipe."""


class ExportError(TrainingError):
    """The exported model does not give what the trained network gives, or can't be placed."""


class ModelFileError(TrainingError):
    """A model file is missing, unreadable, or not a classifier of ``emotion.contract``."""
