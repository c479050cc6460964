from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from emotion.errors import InvalidRequest
from service.settings import BUILT_IN_MODELS, Settings, load_settings


def test_a_field_is_set_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_MAX_PIXELS", "1000")
    assert load_settings().limits.max_pixels == 1000


def test_a_wrong_value_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_MAX_BYTES", "20MB")
    with pytest.raises(InvalidRequest, match=r"^RAPT_MAX_BYTES: .*integer"):
        load_settings()


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_MAX_IN_FLIGHT", "0")
    monkeypatch.setenv("RAPT_MIN_SCORE", "2")
    with pytest.raises(InvalidRequest, match=r"RAPT_MIN_SCORE: .*; RAPT_MAX_IN_FLIGHT: "):
        load_settings()


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan"])
def test_a_deadline_is_a_positive_number_of_seconds(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_DEADLINE_SECONDS", value)
    with pytest.raises(InvalidRequest, match="RAPT_DEADLINE_SECONDS"):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:guessed@db/rapt",
        "postgresql://me:guessed@db",
        "postgresql://me:guess:ed@db:x/rapt",
        "postgresql://me:my@guess@db/rapt",
        "postgresql://me:12/guess@db/rapt",
        "postgresql://me:my#guess@db/rapt",
        "postgresql://me:my?guess@db/rapt",
        "sqlite:///guessed",
    ],
)
def test_a_database_is_a_postgres_and_a_wrong_url_is_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_DATABASE_URL", url)
    with pytest.raises(InvalidRequest, match=r"^RAPT_DATABASE_URL: .*give postgresql://") as told:
        load_settings()
    assert "guess" not in str(told.value)


def test_the_databases_password_is_in_no_description_of_the_settings() -> None:
    settings = Settings(database_url=SecretStr("postgresql://me:guessed@db/rapt"))
    assert "guessed" not in f"{settings!r}{settings}{settings.model_dump_json()}"
    assert settings.rows_url == settings.workflows_url == "postgresql://me:guessed@db/rapt"


def test_without_urls_jobs_are_kept_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.rows_url == f"sqlite:///{tmp_path}/jobs/rapt.db"
    assert settings.workflows_url == f"sqlite:///{tmp_path}/jobs/dbos.db"
    assert settings.bucket is None


def test_a_bucket_with_a_key_in_its_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_STORAGE_URL", "s3://KEY:guessed@videos")
    with pytest.raises(InvalidRequest, match=r"^RAPT_STORAGE_URL: .*from the environment") as told:
        load_settings()
    assert "guessed" not in str(told.value)


def test_a_source_with_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_SOURCES", "s3://me:guessed@clips/in/")
    with pytest.raises(InvalidRequest, match=r"^RAPT_SOURCES: give s3://") as told:
        load_settings()
    assert "guessed" not in str(told.value)


@pytest.mark.parametrize("source", ["s3://jobs/", "s3://jobs/rapt/", "s3://jobs/rapt/objects/"])
def test_what_others_have_sent_is_no_source(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_STORAGE_URL", "s3://jobs/rapt")
    monkeypatch.setenv("RAPT_SOURCES", source)
    with pytest.raises(InvalidRequest, match=r"^RAPT_SOURCES: .* has what RAPT_STORAGE_URL keeps"):
        load_settings()
    monkeypatch.setenv("RAPT_SOURCES", "s3://jobs/rapt-in/")
    load_settings()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("not json", "RAPT_KAFKA_OPTIONS: it is no JSON object."),
        ('{"security.protocol": "SSL",}', "RAPT_KAFKA_OPTIONS: it is no JSON object."),
        (
            '{"sasl.password": 1}',
            "RAPT_KAFKA_OPTIONS: sasl.password: Input should be a valid string",
        ),
        (
            '{"transactional.id": "a"}',
            "RAPT_KAFKA_OPTIONS: transactional.id is Rapt's to set: what it promises depends on it",
        ),
    ],
)
def test_options_of_kafka_that_cant_be_are_told_by_their_variable(
    options: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_KAFKA_OPTIONS", options)
    with pytest.raises(InvalidRequest) as told:
        load_settings()
    assert told.value.message == why


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.max_bytes = 1  # type: ignore[misc]  # what the test is about


def test_the_detector_looks_as_hard_as_set() -> None:
    detection = Settings(detection_side=1280, min_score=0.7).detection
    assert (detection.side, detection.min_score) == (1280, 0.7)


def test_pulled_models_come_before_the_built_in_ones(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.model_repositories == (tmp_path / "models", BUILT_IN_MODELS)


@pytest.mark.parametrize("value", ["-1", "inf", "nan"])
def test_the_registry_is_asked_every_so_many_seconds_or_never(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings(model_poll_seconds=0).model_poll_seconds == 0
    monkeypatch.setenv("RAPT_MODEL_POLL_SECONDS", value)
    with pytest.raises(InvalidRequest, match="RAPT_MODEL_POLL_SECONDS"):
        load_settings()


def test_all_photos_that_can_be_in_flight_may_wait() -> None:
    assert Settings(max_in_flight=3, max_photos=5).max_waiting_photos == 15


def test_a_crowd_may_wait_for_the_classifier_however_few_requests_are_let_in() -> None:
    assert Settings(max_in_flight=1).max_waiting_crops == 10_000
    assert Settings(max_in_flight=200).max_waiting_crops == 20_000


@pytest.mark.parametrize("name", ["home", "home/models"])
def test_a_home_that_is_no_folder_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    monkeypatch.setenv("RAPT_HOME", str(tmp_path / "home"))
    with pytest.raises(InvalidRequest, match=r"RAPT_HOME: .* is not a folder"):
        load_settings()


def test_the_largest_photo_has_to_fit_into_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_MAX_BYTES_IN_FLIGHT", "1000")
    with pytest.raises(InvalidRequest, match=r"RAPT_MAX_BYTES_IN_FLIGHT: .* would never fit"):
        load_settings()


def test_the_largest_batch_has_to_fit_into_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_MAX_BYTES", "1000")
    monkeypatch.setenv("RAPT_MAX_BYTES_IN_FLIGHT", "1000")
    monkeypatch.setenv("RAPT_MAX_BATCH_BYTES", "1000")
    assert load_settings().max_batch_bytes == 1000
    monkeypatch.setenv("RAPT_MAX_BATCH_BYTES", "1001")
    with pytest.raises(InvalidRequest, match=r"^RAPT_MAX_BATCH_BYTES: .* would never fit"):
        load_settings()


def test_the_largest_message_is_one_that_grpc_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 2**31 - 1 - 65_536
    monkeypatch.setenv("RAPT_MAX_BYTES_IN_FLIGHT", str(2**32))
    monkeypatch.setenv("RAPT_MAX_BATCH_BYTES", str(most))
    assert load_settings().max_message_bytes == 2**31 - 1
    monkeypatch.setenv("RAPT_MAX_BATCH_BYTES", str(most + 1))
    with pytest.raises(InvalidRequest, match=rf"^RAPT_MAX_BATCH_BYTES: .* equal to {most}$"):
        load_settings()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_THREADS", "")
    assert load_settings().threads >= 1


@pytest.mark.parametrize(
    "address", ["localhost:8001", "10.0.0.7:1", "triton.ns.svc:65535", "[::1]:8001"]
)
def test_an_address_of_triton_is_host_and_port(address: str) -> None:
    assert Settings(triton_address=address).triton_address == address


@pytest.mark.parametrize(
    "address",
    ["localhost", "http://localhost:8001", "localhost:8001/v2", ":8001", "::1:8001", "a:b"],
)
def test_anything_else_is_no_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_TRITON_ADDRESS", address)
    with pytest.raises(InvalidRequest, match=r"RAPT_TRITON_ADDRESS: .* is not HOST:PORT"):
        load_settings()


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_of_triton_is_one_that_there_can_be(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_TRITON_ADDRESS", f"localhost:{port}")
    expected = rf"RAPT_TRITON_ADDRESS: .*'localhost:{port}' has no port from 1 to 65535$"
    with pytest.raises(InvalidRequest, match=expected):
        load_settings()


def test_a_message_is_a_batch_and_what_describes_it() -> None:
    assert Settings(max_bytes=1, max_batch_bytes=1000).max_message_bytes == 1000 + 65_536


@pytest.mark.parametrize("endpoint", ["minio:9000", "garbage", "ftp://minio"])
def test_an_endpoint_that_is_no_url_is_told(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(InvalidRequest, match=r"^AWS_ENDPOINT_URL: it is no URL\. Begin it with"):
        load_settings()
