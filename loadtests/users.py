"""Those who call the service, in the way of well-behaved clients: gevent runs hundreds of them.

A refusal with a hint when to come again is none of the failures; a wrong answer is one.
"""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import grpc
import grpc.experimental.gevent
from locust import FastHttpUser, User, task
from locust.env import Environment

from loadtests.answers import (
    ENDED,
    is_batch_of_one_face_each,
    is_inference_of_one_face,
    is_one_face,
    is_report_of_faces,
    state_of,
)
from loadtests.calls import Call
from loadtests.endpoints import BATCH, PHOTO_GRPC, PHOTO_HTTP, VIDEO
from loadtests.load_shape import CALLS_A_SECOND
from loadtests.payloads import batch_form, clip, inference_request, photo

_TIMEOUT = 60.0
_RETRY_AFTER = "retry-after"
_OK, _ACCEPTED, _REFUSALS = 200, 202, (429, 503)
_VIDEO_SECONDS, _LOOK_SECONDS = 10.0, 0.5
_WRONG = "a wrong answer"
_INFER = "/inference.GRPCInferenceService/ModelInfer"

# Multiples of it are spread evenly over a turn, however many there are (additive recurrence).
_GOLDEN_RATIO = (5**0.5 - 1) / 2
_numbers = count()

grpc.experimental.gevent.init_gevent()


class _PacedUser(User):
    """One who calls each so many seconds, and not at the same moments as others.

    Locust's ``constant_pacing`` has all who are started at once call at once, again and again.
    """

    abstract = True
    seconds = 1 / CALLS_A_SECOND

    def on_start(self) -> None:
        """Wait for the first turn."""
        begin = next(_numbers) * _GOLDEN_RATIO % 1 / CALLS_A_SECOND
        self._turn = time.perf_counter() + begin
        time.sleep(begin)  # As patched by Locust: other users go on.

    def wait_time(self) -> float:
        """Return how long it is to the next turn, in seconds: none at all where it has passed."""
        now = time.perf_counter()
        self._turn = max(now, self._turn + self.seconds)
        return self._turn - now


class _HttpUser(_PacedUser, FastHttpUser):
    """One who lists calls by himself."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        """Take a base URL that ends in a slash, too: paths begin with one."""
        self.host = (self.host or "").rstrip("/")
        super().__init__(environment)

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> Any:  # noqa: ANN401  # Locust's response
        """Make a request that Locust doesn't list: it would list what is in a "with" block."""
        headers = {"Content-Type": kind} if body else {}
        return self.client.request(
            method,
            path,
            data=body,  # type: ignore[arg-type]  # bytes are documented
            headers=headers,
            catch_response=True,
        )

    def send(
        self, path: str, endpoint: str, body: bytes, kind: str, is_right: Callable[[bytes], bool]
    ) -> None:
        """Send photos, and list what came of it."""
        with Call(self.environment, endpoint) as call:
            answer = self.ask("POST", path, body, kind)
            if is_refusal(answer):
                call.was_refused()
            elif answer.status_code != _OK:
                call.failed(what_of(answer))
            elif not is_right(answer.content or b""):
                call.failed(_WRONG)
            else:
                call.was_answered(len(answer.content))


def is_refusal(answer: Any) -> bool:  # noqa: ANN401  # Locust's response
    """Whether an answer says to come again later."""
    return answer.status_code in _REFUSALS and _RETRY_AFTER in answer.headers


def what_of(answer: Any) -> str:  # noqa: ANN401  # Locust's response
    """Say what an answer is that should have been another."""
    if answer.status_code in (_OK, _ACCEPTED):
        return _WRONG
    return f"status {answer.status_code}" if answer.status_code else str(answer.error)


class PhotoOverHttp(_HttpUser):
    """Sends a photo over HTTP, on a connection that is kept."""

    weight = 6

    @task
    def photo(self) -> None:
        """Send it."""
        self.send("/v1/photos", PHOTO_HTTP, photo(), "image/jpeg", is_one_face)


class Batch(_HttpUser):
    """Sends a few photos in one request."""

    weight = 1

    @task
    def batch(self) -> None:
        """Send them."""
        self.send("/v1/photos:batch", BATCH, *batch_form(), is_batch_of_one_face_each)


class Video(_HttpUser):
    """The one who sends a short video now and then, and waits for its report."""

    fixed_count = 1
    seconds = _VIDEO_SECONDS

    @task
    def video(self) -> None:
        """Send it, and look at it until it has ended."""
        with Call(self.environment, VIDEO) as call:
            answer = self.ask("POST", "/v1/videos", clip(), "video/mp4")
            if is_refusal(answer):
                call.was_refused()
            elif answer.status_code != _ACCEPTED or "location" not in answer.headers:
                call.failed(what_of(answer))
            else:
                self._follow(call, answer.headers["location"])

    def _follow(self, call: Call, place: str) -> None:
        state: str | None = ""
        while state not in ENDED:
            time.sleep(_LOOK_SECONDS)
            answer = self.ask("GET", place)
            state = state_of(answer.content or b"")
            if answer.status_code != _OK or state is None:
                call.failed(what_of(answer))
                return
        report = self.ask("GET", f"{place}/report?format=json")
        if (state, report.status_code) != ("done", _OK):
            call.failed(f"it is {state}, and its report {what_of(report)}")
        elif not is_report_of_faces(report.content):
            call.failed(_WRONG)
        else:
            call.was_answered(len(report.content))


class PhotoOverGrpc(_PacedUser):
    """Sends a photo over gRPC, on a connection of its own."""

    weight = 3

    def on_start(self) -> None:
        """Connect, and wait for the first turn."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(self.environment.parsed_options.grpc, options)
        self._infer = self._channel.unary_unary(_INFER)
        super().on_start()

    def on_stop(self) -> None:
        """Hang up."""
        self._channel.close()

    @task
    def photo(self) -> None:
        """Send it."""
        with Call(self.environment, PHOTO_GRPC) as call:
            try:
                answer = self._infer(inference_request(), timeout=_TIMEOUT)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and _RETRY_AFTER in dict(
                    error.trailing_metadata()
                ):
                    call.was_refused()
                else:
                    call.failed(f"{error.code()} {error.details()}")
                return
            if is_inference_of_one_face(answer):
                call.was_answered(len(answer))
            else:
                call.failed(_WRONG)
