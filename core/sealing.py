"""Sealing what only a key may open: AES-256-GCM, with a nonce made of the content, so that a step run again writes the
same bytes (decision 0004)."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import Unavailable
from core.keys import derived

NONCE = 12


class Sealer:
    """Seals and opens bytes for one purpose with keys derived from a secret. `context` is bound to the content: what was
    sealed for one person or book does not open for another."""

    def __init__(self, secret: str, purpose: str) -> None:
        whole = derived(secret, purpose, 64)
        self._cipher, self._nonces = AESGCM(whole[:32]), whole[32:]

    def seal(self, plain: bytes, context: str) -> bytes:
        """nonce, ciphertext, tag. Two different contents share a nonce with odds below 2^-32 up to 2^32 of them."""
        bound = context.encode()
        content = hmac.new(self._nonces, len(bound).to_bytes(4) + bound, hashlib.sha256)
        content.update(plain)
        nonce = content.digest()[:NONCE]
        return nonce + self._cipher.encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, context: str) -> bytes:
        """The bytes that were sealed. Errors: Unavailable when this key did not seal them, or they were changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], context.encode())
        except (InvalidTag, ValueError):
            raise Unavailable("证件号的密文打不开：密钥已更换，或密文已被改动。请重新启动后再试。") from None
