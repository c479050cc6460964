"""Tuning: an Optuna study over keys of the recipe, worked on by any number of processes."""
