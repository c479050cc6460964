"""What can go wrong in training.

TrainingError
├── DatasetError      the data set is missing, malformed or not what it says
├── RecipeError       a recipe file that can't be used
├── DeviceError       the device asked for is not on this machine
├── CheckpointError   a checkpoint that is missing or belongs to another recipe
├── CandidateError    a run's exported files are missing or not complete
├── ExportError       the exported model does not equal the trained one, or has no place to go
├── ModelFileError    a model file that is missing or breaks the classifier's contract
├── RegistryError     the model registry does not answer, or has not what it should have
├── TuningError       a study that can't be opened, or belongs to another recipe
├── PipelineError     a pipeline that can't go on: other data, another experiment, at work already
└── PromotionError    a model that may not become champion, or has no former one to go back to
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


class CandidateError(TrainingError):
    """A run's exported files are missing or not complete."""


class ExportError(TrainingError):
    """The exported model does not give what the trained network gives, or can't be placed."""


class ModelFileError(TrainingError):
    """A model file is missing, unreadable, or not a classifier of ``emotion.contract``."""


class RegistryError(TrainingError):
    """The model registry does not answer, or does not have what it should have."""


class PromotionError(TrainingError):
    """A model may not become champion, or there is no former champion to go back to."""


class TuningError(TrainingError):
    """A study's storage doesn't answer, or the study was made with another recipe."""


class PipelineError(TrainingError):
    """A pipeline can't go on: it began with other data or settings, or is at work already."""
