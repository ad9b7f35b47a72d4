"""Signatures: what one key signed is believed by those who hold its public half, and nothing else is."""

import shutil
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.rig.gcs import blob
from tests.rig.models import facts, publish_model, write_model

from song2vec.channels import promote
from song2vec.errors import SettingsError
from song2vec.publish import SigningKey, make_key, publish, published_files
from song2vec_client.errors import KeyFileError, UntrustedError
from song2vec_client.format.signing import signature_name
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore


@pytest.fixture
def pair(tmp_path):
    """The paths of a private and of its public key."""
    make_key(tmp_path / "key.pem", tmp_path / "public.pem")
    return tmp_path / "key.pem", tmp_path / "public.pem"


@pytest.fixture
def signed(bucket, tmp_path, pair):
    """A version that was signed, live in production."""
    manifest = publish(bucket, published_files(write_model(tmp_path / "model")), facts(), SigningKey.read(pair[0]))
    promote(bucket, "production", manifest.version, who="test", why="first")
    return manifest


def _signature(signed):
    return signature_name(signed.version, signed.to_bytes())


def _trusting(store, tmp_path, public):
    return ModelStore(store, cache=tmp_path / "cache", public_key=public)


def test_what_was_signed_is_believed(signed, store, tmp_path, pair):
    models = _trusting(store, tmp_path, pair[1])

    assert models.load("production").version == signed.version
    assert models.load(signed.version).version == signed.version
    assert models.version("production").manifest == signed == models.versions()[0].manifest
    assert models.version("production").read("training.json")


@pytest.mark.parametrize("damage", ["none", "short", "long", "flipped", "of another key", "of another manifest"])
def test_without_the_right_signature_nothing_is_read_or_kept(signed, store, tmp_path, pair, damage):
    object_ = blob(store, _signature(signed))
    right = object_.download_as_bytes()
    other = SigningKey(ed25519.Ed25519PrivateKey.generate())
    wrong = {
        "short": right[:-1],
        "long": right + b"1",
        "flipped": bytes([right[0] ^ 1]) + right[1:],
        "of another key": other.sign(signed.to_bytes()),
        "of another manifest": SigningKey.read(pair[0]).sign(b"{}"),
    }
    if damage == "none":
        object_.delete()
    else:
        object_.upload_from_string(wrong[damage])
    models = _trusting(store, tmp_path, pair[1])

    for ask in (models.load, models.versions, lambda: models.version("production").read("training.json")):
        with pytest.raises(UntrustedError, match="is not signed"):
            ask()
    assert not (tmp_path / "cache").exists()
    assert ModelStore(store, cache=tmp_path / "other").load().version == signed.version  # without a key, as before


def test_a_manifest_that_was_changed_is_refused_before_it_is_understood(signed, store, tmp_path, pair):
    object_ = blob(store, f"versions/{signed.version}/manifest.json")
    object_.upload_from_string("not even JSON")

    with pytest.raises(UntrustedError):
        _trusting(store, tmp_path, pair[1]).version(signed.version).read("training.json")


def test_a_cache_that_somebody_filled_without_a_key_is_no_way_around(bucket, store, tmp_path, pair):
    unsigned = publish_model(bucket, tmp_path / "model")
    promote(bucket, "production", unsigned.version, who="test", why="first")
    ModelStore(store, cache=tmp_path / "cache").load()

    with pytest.raises(UntrustedError, match="publish it with the signing key"):
        _trusting(store, tmp_path, pair[1]).load()


def test_several_public_keys_in_one_file_are_all_believed(signed, store, tmp_path, pair):
    make_key(tmp_path / "new.pem", tmp_path / "new.public.pem")
    both = tmp_path / "both.pem"

    both.write_bytes((tmp_path / "new.public.pem").read_bytes() + pair[1].read_bytes())
    assert _trusting(store, tmp_path, both).load().version == signed.version
    with pytest.raises(UntrustedError):
        _trusting(store, tmp_path, tmp_path / "new.public.pem").load()


def test_the_signature_is_there_before_the_version(store, tmp_path, pair):
    class Dying(Bucket):
        def create(self, name, *content):
            if name.endswith("manifest.json"):
                raise KeyboardInterrupt
            return super().create(name, *content)

    files, key = published_files(write_model(tmp_path / "model")), SigningKey.read(pair[0])
    with pytest.raises(KeyboardInterrupt):
        publish(Dying.open(store), files, facts(), key)
    bucket = Bucket.open(store)
    assert [name.rsplit(".", 1)[1] for name in bucket.names() if "/signatures/" in name] == ["sig"]

    version = publish(bucket, files, facts(code_version="0.2.0"), key).version  # another manifest, its own signature
    assert _trusting(store, tmp_path, pair[1]).load(version).version == version


def test_openssl_verifies_it_as_the_page_says(bucket, signed, tmp_path, pair):
    (tmp_path / "manifest.json").write_bytes(bucket.read(f"versions/{signed.version}/manifest.json")[0])
    (tmp_path / "manifest.sig").write_bytes(bucket.read(_signature(signed))[0])
    command = [shutil.which("openssl"), "pkeyutl", "-verify", "-pubin", "-inkey", pair[1], "-rawin"]
    command += ["-in", tmp_path / "manifest.json", "-sigfile", tmp_path / "manifest.sig"]

    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    (tmp_path / "manifest.json").write_bytes(b"{}")
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


def test_only_the_owner_can_read_a_new_key_and_none_is_overwritten(tmp_path, pair):
    before = pair[0].read_bytes()

    assert stat.S_IMODE(pair[0].stat().st_mode) == 0o600
    with pytest.raises(SettingsError, match="not overwritten"):
        make_key(*pair)
    with pytest.raises(SettingsError, match="cannot be written"):
        make_key(tmp_path / "nowhere" / "key.pem", tmp_path / "public.pem")
    assert pair[0].read_bytes() == before


def _pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_what_is_no_signing_key_is_refused_and_never_repeated(tmp_path):
    secret = _pem(ed25519.Ed25519PrivateKey.generate())
    cases = {
        b"s3cret": "no private key",
        b"": "no private key",
        secret[:60]: "no private key",
        _pem(rsa.generate_private_key(65537, 2048)): "a key that is not Ed25519",
        _pem(ed25519.Ed25519PrivateKey.generate(), BestAvailableEncryption(b"s3cret")): "is protected by a password",
    }
    for pem, reason in cases.items():
        (tmp_path / "key.pem").write_bytes(pem)
        with pytest.raises(SettingsError, match=reason) as caught:
            SigningKey.read(tmp_path / "key.pem")
        assert "s3cret" not in str(caught.value)
        assert secret[30:50].decode() not in str(caught.value)
    with pytest.raises(SettingsError, match="cannot be read"):
        SigningKey.read(tmp_path / "missing.pem")


def test_what_is_no_public_key_is_refused(store, tmp_path, pair):
    (tmp_path / "text").write_text("hello")
    (tmp_path / "broken").write_bytes(pair[1].read_bytes().replace(b"MCow", b"AAAA"))
    other = rsa.generate_private_key(65537, 2048).public_key()
    (tmp_path / "rsa").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for name, reason in {
        "text": "no public key",
        "broken": "something else",
        "rsa": "expected an Ed25519",
        "key.pem": "give the public one",
        "missing": "cannot be read",
    }.items():
        with pytest.raises(KeyFileError, match=reason):
            ModelStore(store, public_key=tmp_path / name)
