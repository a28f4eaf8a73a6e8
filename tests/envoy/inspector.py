"""A Process for a real Envoy: it records what it is sent, and answers as told."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from envoy_data_plane.envoy.config.core.v3 import HeaderValue, HeaderValueOption
from envoy_data_plane.envoy.service.ext_proc.v3 import (
    BodyMutation,
    BodyResponse,
    CommonResponse,
    HeaderMutation,
    HeadersResponse,
    ProcessingRequest,
    ProcessingResponse,
)

Answer = Callable[[ProcessingRequest], ProcessingResponse]


class Failed(Exception):
    """An answer raises it: the stream is aborted."""


@dataclass
class Inspector:
    """Answers every message of every stream, in order."""

    answer: Answer
    streams: int = 0
    seen: list[ProcessingRequest] = field(default_factory=list)

    def process(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        self.streams += 1
        for raw in messages:
            message = ProcessingRequest.parse(raw)
            self.seen.append(message)
            try:
                yield bytes(self.answer(message))
            except Failed:
                context.abort(grpc.StatusCode.INTERNAL, "failed")


@contextmanager
def serve_inspector(inspector: Inspector, path: Path) -> Iterator[None]:
    """Serve Process on a Unix socket."""
    server = grpc.server(ThreadPoolExecutor(4))
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(inspector.process)
    service = grpc.method_handlers_generic_handler("envoy.service.ext_proc.v3.ExternalProcessor", {"Process": method})
    server.add_generic_rpc_handlers((service,))
    assert server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait()


def with_headers(set_headers: dict[str, str], remove: tuple[str, ...] = ()) -> ProcessingResponse:
    """Answer the headers of a response."""
    options = [
        HeaderValueOption(header=HeaderValue(key=key, raw_value=value.encode())) for key, value in set_headers.items()
    ]
    mutation = HeaderMutation(set_headers=options, remove_headers=list(remove))
    return ProcessingResponse(response_headers=HeadersResponse(response=CommonResponse(header_mutation=mutation)))


def with_body(body: bytes) -> ProcessingResponse:
    """Answer a piece of a body with these bytes in its place; none withholds it."""
    mutation = BodyMutation(body=body) if body else BodyMutation(clear_body=True)
    return ProcessingResponse(response_body=BodyResponse(response=CommonResponse(body_mutation=mutation)))


def hold_then(tell: Callable[[int], bytes]) -> Answer:
    """Withhold every piece, and send at the end what is made of the number of bytes that were held."""
    held = 0

    def answer(message: ProcessingRequest) -> ProcessingResponse:
        nonlocal held
        if message.response_headers is not None:
            held = 0
            # As Process does with whatever it may change: Envoy keeps the length that was announced.
            return with_headers({}, ("content-length",))
        assert message.response_body is not None
        held += len(message.response_body.body)
        return with_body(tell(held) if message.response_body.end_of_stream else b"")

    return answer
