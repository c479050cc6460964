"""Where everything lives that training makes outside the checkout."""

import os
from pathlib import Path


def home_folder() -> Path:
    """Return ``$RAPT_HOME``, or ``~/.rapt``. It may not be there yet."""
    return Path(os.environ.get("RAPT_HOME", "~/.rapt")).expanduser()
