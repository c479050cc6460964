"""The report on prepared data: what is in it, what is wrong with it, for people who look."""
