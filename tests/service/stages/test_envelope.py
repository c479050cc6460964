import pickle

from service.stages.envelope import seal, unseal


def test_values_come_out_as_they_went_in() -> None:
    values = [{"a": 1}, {"b": 2}]
    assert unseal(seal(values)) == values


def test_an_envelope_crosses_to_another_process() -> None:
    sealed = pickle.loads(pickle.dumps(seal([b"photo"])))  # noqa: S301  # our own bytes
    assert unseal(sealed) == [b"photo"]
