"""Where a model comes from: the names that make it traceable once it is only a file."""

import subprocess
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

from torch import Tensor

from training.data.dataset import Fer2013, Split


def model_version(
    weights: Mapping[str, Tensor], calibration: Mapping[str, float], trained: date
) -> str:
    """Return a model's version: ``2026.11.24-1a2b3c4d``.

    The day says how old it is, and sorts; the digest of weights and calibration says what it
    is. The same weights give the same version, whoever exports them and when.

    Args:
        weights: the network's state dict.
        calibration: its numbers, by name.
        trained: the day on which the weights were written.
    """
    digest = sha256(repr(sorted(calibration.items())).encode())
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().contiguous().numpy().tobytes())
    return f"{trained:%Y.%m.%d}-{digest.hexdigest()[:8]}"


def data_fingerprint(data: Fer2013) -> str:
    """Return the SHA-256 in hex of all images and labels, split by split, row by row."""
    return _fingerprint(data.train, data.val, data.test)


def split_fingerprint(split: Split) -> str:
    """Return the SHA-256 in hex of one split's images and labels, row by row."""
    return _fingerprint(split)


def _fingerprint(*splits: Split) -> str:
    digest = sha256()
    for split in splits:
        digest.update(f"{split.name} {len(split)}\n".encode())
        digest.update(split.images.tobytes())
        digest.update(split.labels.tobytes())
    return digest.hexdigest()


def code_commit(folder: Path) -> str | None:
    """Return the checkout's commit, with ``-dirty`` after it if files differ from it.

    Returns:
        None where there is no git, no checkout or no commit.
    """
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        # Fixed words, and a folder after -C: nothing in it is run or taken for an option.
        answer = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
