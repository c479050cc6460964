"""The Open Inference Protocol in the running service, asked by the clients that others use."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import pytest
import tritonclient.grpc
import tritonclient.http
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tritonclient.utils import InferenceServerException

from emotion.labels import EMOTIONS
from tests.e2e.models import version_of
from tests.e2e.servers import Server, until
from tests.pictures import encode, gradient

OUTPUTS = ("boxes", "scores", "probabilities", "labels", "image_index")
# The JSON of /v1/photos is rounded: to a tenth of a pixel, and to four digits.
PIXEL, SHARE = 0.05 + 1e-3, 0.00005 + 1e-6
# A face may be judged in another batch the second time.
JITTER = 1e-4
SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True)
class Client:
    """One of the two clients; they are alike.

    Attributes:
        kind: tritonclient.grpc or tritonclient.http.
        api: its InferenceServerClient.
    """

    kind: Any
    api: Any

    def image(self, *photos: bytes, **options: bool) -> Any:  # noqa: ANN401  # its InferInput
        tensor = self.kind.InferInput("image", [len(photos)], "BYTES")
        return tensor.set_data_from_numpy(np.array(photos, dtype=np.object_), **options)

    @property
    def as_json(self) -> dict[str, bool]:
        """The option by which the gRPC client gives dicts, as the other always does."""
        return {"as_json": True} if self.kind is tritonclient.grpc else {}

    def infer(self, *photos: bytes, model: str = "emotion", **options: Any) -> Any:  # noqa: ANN401  # its InferResult
        return self.api.infer(model, [self.image(*photos)], **options)


@contextmanager
def over_grpc(server: Server) -> Iterator[Client]:
    with tritonclient.grpc.InferenceServerClient(server.grpc_target) as api:
        yield Client(tritonclient.grpc, api)


@contextmanager
def over_http(server: Server) -> Iterator[Client]:
    address = server.url.removeprefix("http://")
    with tritonclient.http.InferenceServerClient(address, network_timeout=30) as api:
        yield Client(tritonclient.http, api)


@pytest.fixture(params=[over_grpc, over_http])
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[Client]:
    with request.param(server) as one:
        yield one


@pytest.fixture(scope="session")
def empty_photo() -> bytes:
    """A photo of nobody."""
    return encode(gradient(320, 240), "PNG")


def tensors_of(result: Any) -> dict[str, npt.NDArray[Any]]:  # noqa: ANN401  # either client's
    return {name: result.as_numpy(name) for name in OUTPUTS}


def test_photos_have_the_answer_that_they_have_in_json(
    server: Server, client: Client, face_jpeg: bytes, empty_photo: bytes
) -> None:
    said = server.post(face_jpeg).json()
    (face,) = said["faces"]
    tensors = tensors_of(client.infer(face_jpeg, empty_photo, face_jpeg))
    box = [face["box"][side] for side in ("x", "y", "width", "height")]
    np.testing.assert_allclose(tensors["boxes"], [box] * 2, atol=PIXEL)
    np.testing.assert_allclose(tensors["scores"], [face["score"]] * 2, atol=SHARE)
    shares = [face["probabilities"][emotion] for emotion in EMOTIONS]
    np.testing.assert_allclose(tensors["probabilities"], [shares] * 2, atol=SHARE + JITTER)
    assert tensors["labels"].tolist() == [face["emotion"].encode()] * 2
    assert tensors["image_index"].tolist() == [0, 2]
    types = [tensors[name].dtype for name in OUTPUTS]
    assert types == [np.float32, np.float32, np.float32, np.object_, np.int32]


def test_a_photo_of_nobody_has_tensors_without_rows(client: Client, empty_photo: bytes) -> None:
    shapes = [tensor.shape for tensor in tensors_of(client.infer(empty_photo)).values()]
    assert shapes == [(0, 4), (0,), (0, 7), (0,), (0,)]


def test_the_answer_names_the_request_and_the_version(
    server: Server, client: Client, face_jpeg: bytes
) -> None:
    version = version_of(server)
    result = client.infer(face_jpeg, model_version=version, request_id="r1")
    said = result.get_response(**client.as_json)
    assert (said["id"], said["model_version"]) == ("r1", version)


@pytest.mark.parametrize("asks_binary", [True, False])
@pytest.mark.parametrize("answers_binary", [True, False])
def test_binary_and_json_are_the_same_both_ways(
    server: Server, face_jpeg: bytes, *, asks_binary: bool, answers_binary: bool
) -> None:
    with over_grpc(server) as other:
        expected = tensors_of(other.infer(face_jpeg, face_jpeg))
    with over_http(server) as client:
        photo = face_jpeg if asks_binary else base64.b64encode(face_jpeg)
        outputs = [client.kind.InferRequestedOutput(name, answers_binary) for name in OUTPUTS]
        asked = client.image(photo, photo, binary_data=asks_binary)
        result = client.api.infer("emotion", [asked], outputs=outputs)
    assert ("data" in result.get_output("boxes")) != answers_binary
    tensors = tensors_of(result)
    for name in ("boxes", "scores", "probabilities"):
        np.testing.assert_allclose(tensors[name], expected[name], atol=JITTER)
    assert tensors["image_index"].tolist() == [0, 1]
    # Texts that came as JSON are texts.
    assert tensors["labels"].tolist() == [b"happy" if answers_binary else "happy"] * 2


def test_only_what_is_asked_for_is_given(client: Client, face_jpeg: bytes) -> None:
    result = client.infer(face_jpeg, outputs=[client.kind.InferRequestedOutput("labels")])
    assert result.as_numpy("labels").tolist() == [b"happy"]
    assert result.as_numpy("boxes") is None


def test_it_is_live_ready_and_described(client: Client) -> None:
    api = client.api
    assert api.is_server_live()
    # A stage that is slow for a moment is not ready for as long.
    until(api.is_server_ready, 10)
    until(lambda: api.is_model_ready("emotion"), 10)
    assert not api.is_model_ready("mood")
    assert not api.is_model_ready("emotion", "1")
    assert api.get_server_metadata(**client.as_json)["name"] == "rapt"
    model = api.get_model_metadata("emotion", **client.as_json)
    assert [tensor["name"] for tensor in model["outputs"]] == list(OUTPUTS)


def test_a_bad_photo_is_named(client: Client, face_jpeg: bytes) -> None:
    with pytest.raises(InferenceServerException) as failure:
        client.infer(face_jpeg, face_jpeg[:9000])
    assert failure.value.status() in ("400", "StatusCode.INVALID_ARGUMENT")
    assert failure.value.message().startswith("image[1]: ")


@pytest.mark.parametrize(
    ("model", "version", "photos", "message"),
    [
        ("mood", "", 1, "There is no model 'mood'"),
        ("emotion", "1", 1, "Version '1' of 'emotion' is not served"),
        ("emotion", "", 17, "1 to 16 photos here, not 17"),
    ],
)
def test_what_is_not_offered_is_told(
    client: Client, model: str, version: str, photos: int, message: str, face_jpeg: bytes
) -> None:
    with pytest.raises(InferenceServerException) as failure:
        client.infer(*[face_jpeg] * photos, model=model, model_version=version)
    assert failure.value.status() in ("400", "StatusCode.INVALID_ARGUMENT")
    assert message in failure.value.message()


def test_reflection_and_health_answer_their_own_clients(server: Server) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = list(database.get_services())
        methods = DescriptorPool(database).FindServiceByName(services[2]).methods_by_name
        check = health_pb2_grpc.HealthStub(channel).Check
        asked = [health_pb2.HealthCheckRequest(service=name) for name in ("", services[2])]
        until(lambda: [check(one).status for one in asked] == [SERVING] * 2, 10)
    assert services[2] == "inference.GRPCInferenceService"
    assert methods["ModelInfer"].input_type.full_name == "inference.ModelInferRequest"
