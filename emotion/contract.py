"""The contracts of the two model files: names of models and tensors.

    face_detector       images uint8 [n, h, w, 3], RGB, any size
                        -> locations float32 [n, p, 4], scores float32 [n, p],
                           landmarks float32 [n, p, 10] for the p priors of that size
    emotion_classifier  crops uint8 [n, 1, 48, 48], grey, aligned
                        -> probabilities float32 [n, 7], calibrated, in label order

What turns pixels into a network's input (normalisation, channel order) and logits into
probabilities (softmax, calibration) is inside the files, so no runtime can do it differently.
"""

DETECTOR_NAME = "face_detector"
DETECTOR_INPUT = "images"
DETECTOR_OUTPUTS = ("locations", "scores", "landmarks")

CLASSIFIER_NAME = "emotion_classifier"
CLASSIFIER_INPUT = "crops"
CLASSIFIER_OUTPUT = "probabilities"

# Keys of the model file's metadata (ONNX metadata_props): its version, and its labels in the
# order of its output, joined by commas.
VERSION_KEY = "version"
LABELS_KEY = "labels"

# The model registry (MLflow): the classifier is registered under CLASSIFIER_NAME. Its versions
# carry these aliases and tags, and the file that is served under this name.
CHAMPION = "champion"
CHALLENGER = "challenger"
MODEL_FILE = "model.onnx"
DIGEST_TAG = "sha256"
PRECISION_TAG = "precision"
# On versions that learnt from a cut of the data (its value: images a split). Never served.
TRIAL_TAG = "trial"
# On versions that were champion and taken back (its value: why), until they are champion again.
ROLLED_BACK_TAG = "rolled_back"
