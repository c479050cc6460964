from pathlib import Path

import pytest

from training.home import home_folder


def test_home_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_HOME", "/srv/rapt")
    assert home_folder() == Path("/srv/rapt")


@pytest.mark.parametrize("value", [None, ""])
def test_home_is_the_users_where_the_variable_is_unset_or_empty(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("RAPT_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("RAPT_HOME", value)
    assert home_folder() == Path("/home/ada/.rapt")
