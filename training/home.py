"""Where everything lives that training makes outside the checkout."""

import os
from pathlib import Path


def home_folder() -> Path:
    """Return ``$RAPT_HOME``, or ``~/.rapt`` where it is unset or empty. It may not be there yet."""
    return Path(os.environ.get("RAPT_HOME") or "~/.rapt").expanduser()
