"""What it costs. Prints tables; `README.md` has the current figures."""

# First of all, whichever module is run: it keeps ONNX Runtime from reporting its own start.
import service  # noqa: F401
