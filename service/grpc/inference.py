"""The calls of the Open Inference Protocol. Those that are missing here are UNIMPLEMENTED."""

import math
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message_factory import GetMessageClass
from tritonclient.grpc import service_pb2

from emotion.errors import CapacityError, InvalidRequest, ModelError
from service.data_plane import DataPlane
from service.grpc.context import Context
from service.grpc.messages import read_request, write_answer
from service.open_inference.answers import answer, served_version
from service.open_inference.contract import model_facts, server_facts

_SERVICE = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
SERVICE_NAME: str = _SERVICE.full_name


def inference_handlers(plane: DataPlane) -> grpc.GenericRpcHandler:
    """Return the calls in the form that gRPC's server takes.

    The stubs' own registration would serve all twenty calls of Triton's protocol, and take the
    message of ModelInfer in before anybody is asked.
    """
    calls = _Calls(plane)
    unary = {
        "ServerLive": calls.server_live,
        "ServerReady": calls.server_ready,
        "ServerMetadata": calls.server_metadata,
        "ModelReady": calls.model_ready,
        "ModelMetadata": calls.model_metadata,
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            call,
            GetMessageClass(_SERVICE.methods_by_name[name].input_type).FromString,
            GetMessageClass(_SERVICE.methods_by_name[name].output_type).SerializeToString,
        )
        for name, call in unary.items()
    }
    handlers["ModelInfer"] = grpc.stream_unary_rpc_method_handler(
        calls.model_infer, None, service_pb2.ModelInferResponse.SerializeToString
    )
    return grpc.method_handlers_generic_handler(SERVICE_NAME, handlers)


class _Calls:
    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def server_live(self, request: Any, context: Context) -> Any:  # noqa: ANN401, ARG002  # messages have no types
        return service_pb2.ServerLiveResponse(live=True)

    async def server_ready(self, request: Any, context: Context) -> Any:  # noqa: ANN401, ARG002  # as above
        try:
            await self._plane.check_ready()
        except (CapacityError, ModelError):
            return service_pb2.ServerReadyResponse(ready=False)
        return service_pb2.ServerReadyResponse(ready=True)

    async def server_metadata(self, request: Any, context: Context) -> Any:  # noqa: ANN401, ARG002  # as above
        return service_pb2.ServerMetadataResponse(**server_facts())

    async def model_ready(self, request: Any, context: Context) -> Any:  # noqa: ANN401, ARG002  # as above
        try:
            await served_version(self._plane, request.name, request.version)
        except (CapacityError, InvalidRequest, ModelError):
            return service_pb2.ModelReadyResponse(ready=False)
        return service_pb2.ModelReadyResponse(ready=True)

    async def model_metadata(self, request: Any, context: Context) -> Any:  # noqa: ANN401, ARG002  # as above
        served = await served_version(self._plane, request.name, request.version)
        return service_pb2.ModelMetadataResponse(**model_facts(served))

    async def model_infer(self, requests: object, context: Context) -> Any:  # noqa: ANN401, ARG002  # as above
        patience = context.time_remaining()
        settings = self._plane.settings
        async with self._plane.request(math.inf if patience is None else patience) as slot:
            async with slot.receiving():
                content = await context.read()
                if content is grpc.aio.EOF:
                    raise InvalidRequest("The call ended without a message.")
                slot.hold(len(content))
            request_id, question = read_request(content, settings.max_photos)
            del content
            return write_answer(request_id, await answer(self._plane, question, slot.deadline))
