"""The model files: what is served, how it gets here, and how it changes under a running service.

repository       finds a model, and checks that it is the one that is listed
onnx             the two models in this process
served           chooses the version that is served, for everybody
swapping         a classifier that takes up a new version without a pause
installed        the folder that pulled versions are placed in
registry         the registry that they come from (MLflow)
pull             from there to here
registry_watch   pulls again and again, in a process of its own, and remembers how it went
"""
