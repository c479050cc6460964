"""From images to weights: augmentation, network, the run and its checkpoints."""
