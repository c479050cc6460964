import uuid

import pytest

from service.request_ids import choose_request_id


@pytest.mark.parametrize("offered", ["a", "job-7.part_2", "x" * 64])
def test_a_plain_id_is_kept(offered: str) -> None:
    assert choose_request_id(offered) == offered


@pytest.mark.parametrize("offered", [None, "", "x" * 65, "a b", "a\n", "a/b"])
def test_any_other_is_replaced(offered: str | None) -> None:
    chosen = choose_request_id(offered)
    assert chosen == str(uuid.UUID(chosen))
