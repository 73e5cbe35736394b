"""Signing what leaves the house, so that anybody can tell it from a forgery, also without asking us (Ed25519, RFC 8032).

The private key is derived from SECRET_KEY (decision 0013): it lives where that key lives, made once in development and
demanded in production, and no file holds it a second time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from core.errors import InputRejected
from core.keys import derived

PURPOSE = "certificate signature"


@dataclass(frozen=True)
class Signer:
    """A key pair. `public`: 32 bytes. The private half is in no repr."""

    _private: Ed25519PrivateKey = field(repr=False)
    public: bytes

    @classmethod
    def of(cls, secret_key: str) -> Signer:
        """The pair of an installation, always the same for one SECRET_KEY."""
        private = Ed25519PrivateKey.from_private_bytes(derived(secret_key, PURPOSE))
        return cls(private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def key_id(self) -> str:
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same for the same message."""
        return self._private.sign(message)


def key_id(public: bytes) -> str:
    """A public key's short name: 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this key signed exactly this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def pem_of(public: bytes) -> str:
    """A public key as PEM (SubjectPublicKeyInfo), which every tool reads."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_of(pem: bytes) -> bytes:
    """The 32 bytes of a public key from PEM. Errors: InputRejected for anything else."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InputRejected("公钥文件须为 PEM 格式的 Ed25519 公钥。")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
