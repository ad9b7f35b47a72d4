"""Whose manifests are believed: those that one of the given public keys signed.

A signature is the Ed25519 signature (RFC 8032) of the manifest's bytes, 64 bytes long. It lies beside the
manifest under the manifest's sha256, and is written before it, so that a version that can be seen is signed.
The manifest names every other file with its sha256, so nothing else needs a signature.
"""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from song2vec_client.errors import KeyFileError, UntrustedError
from song2vec_client.format.layout import file_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


class PublicKeys:
    """One or more public keys; a manifest needs the signature of one of them."""

    def __init__(self, keys: "list[Ed25519PublicKey]") -> None:
        self._keys = keys

    @classmethod
    def read(cls, path: Path | str) -> "PublicKeys":
        """The keys in a PEM file: several where an old one is being replaced.

        Raises:
            KeyFileError: the file cannot be read, or holds something else than Ed25519 public keys.
        """
        try:
            pems = _PEM.findall(Path(path).read_bytes())
        except OSError as error:
            raise KeyFileError(f"the public key {path} cannot be read: {error.strerror}") from None
        keys = [_public_key(pem, path) for pem in pems]
        if not keys:
            raise KeyFileError(f"{path} holds no public key: expected -----BEGIN PUBLIC KEY-----")
        return cls(keys)

    def insist(self, content: bytes, signature: bytes | None, where: str) -> None:
        """Accept a manifest that is signed by one of the keys.

        Args:
            content: its bytes.
            signature: what lies beside it; None: nothing.
            where: its address, for the message.

        Raises:
            UntrustedError: it is not signed, or by nobody of them.
        """
        from cryptography.exceptions import InvalidSignature

        if signature is None:
            raise UntrustedError(f"{where} is not signed, and a public key was given: publish it with the signing key")
        for key in self._keys:
            try:
                key.verify(signature, content)
            except InvalidSignature:
                continue
            return
        raise UntrustedError(
            f"{where} is not signed by the public key that was given: it was made by somebody else, or changed"
        )


def signature_name(version: str, content: bytes) -> str:
    """Where the signature of a version's manifest lies, whose bytes are `content`."""
    return file_name(version, f"signatures/{hashlib.sha256(content).hexdigest()}.sig")


def _public_key(pem: bytes, path: Path | str) -> "Ed25519PublicKey":
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise KeyFileError("checking signatures needs cryptography: pip install 'song2vec-client[signing]'") from None
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} holds something else than public keys in PEM: give the public one") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path} holds a {type(key).__name__}, expected an Ed25519 public key")
    return key
