"""Payloads: from the bytes of a message to the bits that a cover carries, and back.

message ─frame─► header, body ─► bits
"""

from stegfield.payload.frame import (
    HEADER_BYTES,
    LARGEST_MESSAGE,
    SETTINGS,
    TAG,
    Content,
    Header,
    Sealed,
    bits_of,
    bytes_of,
    check_room,
    fill,
    longest_message,
    message_bytes,
    open_body,
    seal,
)

__all__ = [
    "HEADER_BYTES",
    "LARGEST_MESSAGE",
    "SETTINGS",
    "TAG",
    "Content",
    "Header",
    "Sealed",
    "bits_of",
    "bytes_of",
    "check_room",
    "fill",
    "longest_message",
    "message_bytes",
    "open_body",
    "seal",
]
