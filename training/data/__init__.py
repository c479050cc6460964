"""The data set: where it comes from, what is in it, and how it is framed."""
