"""Signing what is published: whoever holds the private key vouches for a version, and nobody else can.

A key is an Ed25519 private key in PEM (PKCS 8), as `song2vec keygen` or ``openssl genpkey -algorithm ed25519``
makes it. It is read where it is needed, and never shown.
"""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from song2vec.errors import SettingsError
from song2vec.plumbing.files import whole_file


class SigningKey:
    """A private key; nothing shows it, so that it gets into no log."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def read(cls, path: Path | str) -> "SigningKey":
        """The key in a PEM file.

        Raises:
            SettingsError: the file cannot be read, or holds something else.
        """
        try:
            pem = Path(path).read_bytes()
        except OSError as error:
            raise SettingsError(f"the signing key {path} cannot be read: {error.strerror}") from None
        return cls.parse(pem, str(path))

    @classmethod
    def parse(cls, pem: bytes, where: str) -> "SigningKey":
        """The key in a PEM text.

        Args:
            pem: the text.
            where: where it comes from, for the message.

        Raises:
            SettingsError: it is something else.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except TypeError:
            raise SettingsError(
                f"{where}: the signing key is protected by a password: give one that has none"
            ) from None
        except (ValueError, UnsupportedAlgorithm):  # their texts may quote the key
            raise SettingsError(f"{where} holds no private key in PEM: make one with `song2vec keygen`") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(f"{where} holds a key that is not Ed25519: make one with `song2vec keygen`")
        return cls(key)

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes; the same for the same content."""
        return self._key.sign(content)

    def public_pem(self) -> bytes:
        """The public key that belongs to it, in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def make_key(private: Path, public: Path) -> None:
    """Write a new pair of keys; only their owner can read the private one.

    Raises:
        SettingsError: the private file exists already: a key that is lost cannot be made again.
    """
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(f"{private} exists: give another name, or move it away; it is not overwritten") from None
    except OSError as error:
        raise SettingsError(f"{private} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with whole_file(public) as temporary:
        temporary.write_bytes(SigningKey(key).public_pem())
