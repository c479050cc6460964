"""MLflow: what was run and what came of it, and the versions of the model."""
