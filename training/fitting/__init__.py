"""From images to weights: augmentation, networks, teachers, the run and its checkpoints."""
