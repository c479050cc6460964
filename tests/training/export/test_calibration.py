import numpy as np
import numpy.typing as npt
import pytest

from training.export.calibration import fit_temperature, negative_log_likelihood


def sample(count: int = 20_000) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Draw logits, and labels from the very distribution that the logits state."""
    generator = np.random.default_rng(7)
    logits = generator.normal(0, 2, (count, 7))
    # Gumbel's trick: the largest of logits plus Gumbel noise is a draw from their softmax.
    return logits, (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_known_temperature_is_recovered(temperature: float) -> None:
    logits, labels = sample()
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.03)


def test_likelihood_gets_better() -> None:
    logits, labels = sample()
    logits *= 3
    temperature = fit_temperature(logits, labels)
    after = negative_log_likelihood(logits / temperature, labels)
    assert after < negative_log_likelihood(logits, labels) - 0.3


def test_no_other_temperature_is_more_likely() -> None:
    logits, labels = sample(500)
    best = fit_temperature(logits, labels)
    loss = negative_log_likelihood(logits / best, labels)
    for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
        assert negative_log_likelihood(logits / (best * factor), labels) > loss


def test_network_that_is_never_wrong_gets_a_low_temperature_within_the_limits() -> None:
    assert 0.05 <= fit_temperature(np.eye(7) * 4, np.arange(7)) < 0.2


def test_likelihood_of_knowing_nothing_is_that_of_seven_classes(uniform: float) -> None:
    assert negative_log_likelihood(np.zeros((3, 7)), np.array([0, 3, 6])) == pytest.approx(uniform)


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[1e4] + [0.0] * 6], np.float32)
    assert negative_log_likelihood(logits, np.array([1])) == pytest.approx(1e4)
