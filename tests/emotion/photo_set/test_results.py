from dataclasses import replace

import pytest

from emotion.errors import ContractMismatch
from emotion.photo_set.results import decode_results, encode_results
from tests.emotion.photo_set.sets import MODEL, PARTY


def test_results_are_kept_whole_and_in_the_same_bytes() -> None:
    kept = encode_results(PARTY, MODEL)
    assert decode_results(kept, MODEL) == PARTY
    assert encode_results(list(PARTY), MODEL) == kept


def test_results_of_another_model_are_refused() -> None:
    with pytest.raises(ContractMismatch, match="Send the set again"):
        decode_results(encode_results(PARTY, MODEL), replace(MODEL, version="2"))
