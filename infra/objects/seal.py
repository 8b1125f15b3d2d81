"""Encryption at rest for a folder store: AES-256-GCM, the object's name bound in.

    UMSK1 ── 12 bytes of nonce ── the bytes, encrypted ── 16 bytes that prove them

For S3, let the server do it (`UNMASK_S3_ENCRYPTION`).
"""

import base64
import binascii
import os
from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.objects.port import Corrupt
from unmask.errors import Unusable

MARK = b"UMSK1"
NONCE_BYTES, TAG_BYTES, KEY_BYTES = 12, 16, 32
VARIABLE = "UNMASK_STORE_KEY"


class Seal(Protocol):
    """What a store does to bytes on their way to the disk and back."""

    #: So much longer they are there.
    extra: int

    def close(self, name: str, data: bytes) -> bytes: ...

    def open(self, name: str, data: bytes) -> bytes: ...


class Plain:
    extra = 0

    def close(self, name: str, data: bytes) -> bytes:
        return data

    def open(self, name: str, data: bytes) -> bytes:
        if data.startswith(MARK):
            raise Unusable(f"{name} is encrypted: set {VARIABLE} to its key")
        return data


class Sealed:
    """The first key seals; every key opens, so that keys can be changed."""

    extra = len(MARK) + NONCE_BYTES + TAG_BYTES

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys]

    def close(self, name: str, data: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return MARK + nonce + self._ciphers[0].encrypt(nonce, data, name.encode())

    def open(self, name: str, data: bytes) -> bytes:
        """What was stored before there was a key is as it was; its hash is checked all the same."""
        if not data.startswith(MARK):
            return data
        nonce, body = data[len(MARK) :][:NONCE_BYTES], data[len(MARK) + NONCE_BYTES :]
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, body, name.encode())
            except (InvalidTag, ValueError):
                continue
        raise Corrupt(f"{name} was changed, moved, or sealed with a key that {VARIABLE} lacks")


def seal_of(keys: str | None) -> Seal:
    """From the setting: base64 of 32 bytes; several, the newest first, with commas between."""
    if not keys:
        return Plain()
    return Sealed([_key(one.strip()) for one in keys.split(",")])


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise Unusable(
            f"{VARIABLE} is no key: give base64 of {KEY_BYTES} random bytes, as "
            f"`openssl rand -base64 {KEY_BYTES}` makes them"
        )
    return key
