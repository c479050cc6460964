"""How good answers are: metrics, slices, and reports of them."""
