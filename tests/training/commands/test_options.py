from pathlib import Path

import pytest

from training.commands.options import REPOSITORY, require_no_trial, require_small
from training.errors import ExportError


@pytest.mark.parametrize("repository", [REPOSITORY, REPOSITORY.resolve(), Path() / REPOSITORY])
def test_projects_own_repository_takes_no_trial_however_it_is_spelt(repository: Path) -> None:
    with pytest.raises(ExportError, match="it learnt from 16 images a split, and is never served"):
        require_no_trial(repository, 16)


def test_trial_may_lie_elsewhere_and_others_anywhere(tmp_path: Path) -> None:
    require_no_trial(tmp_path, 16)
    require_no_trial(REPOSITORY, None)


def test_projects_own_repository_takes_no_fp32_unasked() -> None:
    with pytest.raises(ExportError, match=r"int8 loses more accuracy than allowed, .* --precision"):
        require_small(REPOSITORY, "fp32")


def test_int8_may_lie_anywhere_and_fp32_elsewhere(tmp_path: Path) -> None:
    require_small(REPOSITORY, "int8")
    require_small(tmp_path, "fp32")
