"""The contracts of the two model files: names of models and tensors.

    face_detector       images uint8 [n, h, w, 3], RGB, any size
                        -> locations float32 [n, p, 4], scores float32 [n, p],
                           landmarks float32 [n, p, 10] for the p priors of that size
    emotion_classifier  crops uint8 [n, 1, 48, 48], grey, aligned
                        -> probabilities float32 [n, 7], calibrated, in label order

What turns pixels into a network's input (normalisation, channel order) and logits into
probabilities (temperature, softmax) is inside the files, so no runtime can do it differently.
"""

DETECTOR_NAME = "face_detector"
DETECTOR_INPUT = "images"
DETECTOR_OUTPUTS = ("locations", "scores", "landmarks")

CLASSIFIER_NAME = "emotion_classifier"
CLASSIFIER_INPUT = "crops"
CLASSIFIER_OUTPUT = "probabilities"

# Key of the model file's metadata (ONNX metadata_props) that holds its version.
VERSION_KEY = "version"
