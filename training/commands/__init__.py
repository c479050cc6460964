"""The command line of what makes the model: a module a verb."""
