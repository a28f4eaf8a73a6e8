"""Our trimmed messages against Envoy's own: the descriptors are inside the Envoy binary (ADR 0003)."""

import mmap
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2, ext_proc_pb2
from agen_authz.envoy.binary import find_binary

FILES = (
    "envoy/service/auth/v3/external_auth.proto",
    "envoy/service/auth/v3/attribute_context.proto",
    "envoy/config/core/v3/base.proto",
    "envoy/config/core/v3/address.proto",
    "envoy/type/v3/http_status.proto",
    "envoy/service/ext_proc/v3/external_processor.proto",
    "google/rpc/status.proto",
)
# Ours -> Envoy's; what is not here goes by its own name.
NAMES = {
    "CheckRequest": "envoy.service.auth.v3.CheckRequest",
    "CheckResponse": "envoy.service.auth.v3.CheckResponse",
    "DeniedHttpResponse": "envoy.service.auth.v3.DeniedHttpResponse",
    "OkHttpResponse": "envoy.service.auth.v3.OkHttpResponse",
    "AttributeContext": "envoy.service.auth.v3.AttributeContext",
    "AttributeContext.Peer": "envoy.service.auth.v3.AttributeContext.Peer",
    "AttributeContext.Request": "envoy.service.auth.v3.AttributeContext.Request",
    "AttributeContext.HttpRequest": "envoy.service.auth.v3.AttributeContext.HttpRequest",
    "Address": "envoy.config.core.v3.Address",
    "SocketAddress": "envoy.config.core.v3.SocketAddress",
    "HeaderMap": "envoy.config.core.v3.HeaderMap",
    "HeaderValue": "envoy.config.core.v3.HeaderValue",
    "HeaderValueOption": "envoy.config.core.v3.HeaderValueOption",
    "HttpStatus": "envoy.type.v3.HttpStatus",
    "Status": "google.rpc.Status",
    "Metadata": "envoy.config.core.v3.Metadata",
}
# A package of Envoy's whose messages have our names.
EXT_PROC = "envoy.service.ext_proc.v3."
# Envoy's enums that are int32 here: both are varints, and every number that Envoy may send can be read.
ENUMS = {("HttpStatus", "code"), ("ProtocolConfiguration", "response_body_mode")}
VARINT, LENGTH = 0, 2


def read_varint(raw: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def end_of_message(raw: mmap.mmap, at: int) -> int:
    """Walk the fields of a FileDescriptorProto: it ends where a tag cannot be one of its own."""
    known = {field.number for field in descriptor_pb2.FileDescriptorProto.DESCRIPTOR.fields}
    while True:
        tag, behind = read_varint(raw, at)
        number, kind = tag >> 3, tag & 7
        if number not in known or kind not in (VARINT, LENGTH):
            return at
        value, behind = read_varint(raw, behind)
        at = behind + value if kind == LENGTH else behind


def find_file(raw: mmap.mmap, name: str) -> descriptor_pb2.FileDescriptorProto:
    start = raw.find(bytes([0x0A, len(name)]) + name.encode() + b"\x12")
    assert start >= 0, name
    return descriptor_pb2.FileDescriptorProto.FromString(raw[start : end_of_message(raw, start)])


def walk(prefix: str, messages: object) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
    for message in messages:  # type: ignore[attr-defined] # protobuf's repeated field
        yield f"{prefix}.{message.name}", message
        yield from walk(f"{prefix}.{message.name}", message.nested_type)


@pytest.fixture(scope="module")
def envoys() -> dict[str, dict[str, descriptor_pb2.FieldDescriptorProto]]:
    binary = find_binary()
    assert isinstance(binary, Path)
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        files = [find_file(raw, name) for name in FILES]
    return {
        name: {field.name: field for field in message.field}
        for file in files
        for name, message in walk(file.package, file.message_type)
    }


def our_messages(messages: object) -> Iterator[tuple[str, Descriptor]]:
    for message in messages:  # type: ignore[attr-defined] # protobuf's mapping values
        if not message.GetOptions().map_entry:
            yield message.full_name.removeprefix("agen.envoy.v1."), message
            yield from our_messages(message.nested_types)


FIELDS = [
    pytest.param(name, field, id=f"{name}.{field.name}")
    for file in (ext_authz_pb2, ext_proc_pb2)
    for name, message in our_messages(file.DESCRIPTOR.message_types_by_name.values())
    for field in message.fields
]


@pytest.mark.parametrize(("message", "field"), FIELDS)
def test_field_is_envoys_own(envoys, message: str, field: FieldDescriptor):
    theirs = envoys[NAMES.get(message, EXT_PROC + message)][field.name]
    kind = FieldDescriptor.TYPE_ENUM if (message, field.name) in ENUMS else field.type
    repeated = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
    assert (theirs.number, theirs.type, theirs.label == repeated) == (field.number, kind, field.is_repeated)
