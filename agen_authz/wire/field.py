"""Fields of protobuf messages, written directly.

Serialised messages of one type, one after the other, are their merger (protobuf encoding, "Last One Wins"): so
an answer is put together from parts that were rendered before, and only what is new is written. A Python
object for each header costs ten times as much.
"""

_MORE = 0x80


def write_field(number: int, content: bytes) -> bytes:
    """Write a field of bytes, text or a message; `number` is at most 15."""
    size = len(content)
    if size < _MORE:
        return bytes((number << 3 | 2, size)) + content
    if size < _MORE << 7:
        return bytes((number << 3 | 2, size & 0x7F | _MORE, size >> 7)) + content
    written = bytearray((number << 3 | 2,))
    while size >= _MORE:
        written.append(size & 0x7F | _MORE)
        size >>= 7
    written.append(size)
    return bytes(written) + content
