from service.bentoml_options import batch_options, front_options, stage_options
from service.settings import Settings

SETTINGS = Settings(deadline_seconds=1.5)


def test_bentoml_gives_up_on_a_request_after_the_front_has() -> None:
    assert front_options(SETTINGS)["traffic"]["timeout"] > SETTINGS.deadline_seconds
    assert stage_options(SETTINGS, "FaceDetector")["traffic"]["timeout"] > SETTINGS.deadline_seconds
    assert batch_options(SETTINGS, 4)["max_latency_ms"] > SETTINGS.deadline_seconds * 1000


def test_bentoml_waits_for_an_upload_as_long_as_the_front_does() -> None:
    assert front_options(SETTINGS)["traffic"]["timeout"] > SETTINGS.upload_seconds


def test_the_client_of_a_stage_never_closes_its_session_with_calls_in_flight() -> None:
    connection = stage_options(SETTINGS, "FaceDetector")["runner_connection"]
    assert connection == {"max_requests": 10**9, "max_age": 1e9}


def test_calls_of_a_stage_are_batched_up_to_a_size() -> None:
    options = batch_options(SETTINGS, 4)
    assert (options["batchable"], options["max_batch_size"]) == (True, 4)


def test_each_service_is_one_process_and_a_stage_computes_in_one_thread() -> None:
    assert front_options(SETTINGS)["workers"] == 1
    stage = stage_options(SETTINGS, "FaceDetector")
    assert (stage["name"], stage["workers"], stage["threads"]) == ("FaceDetector", 1, 1)


def test_a_stage_may_have_several_processes() -> None:
    assert stage_options(SETTINGS, "FaceDetector", 3)["workers"] == 3
