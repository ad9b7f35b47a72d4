"""Stage `publish`: the files of a run become an immutable version of the store.

- `publishing`: the stage: files, then the signature, then the manifest, after which the version exists
- `upload`: checksums, and files to the bucket, several at once
- `model_card`: ``MODEL_CARD.md``: what to know of a version before using it
- `signing`: the key that signs manifests
"""

from song2vec.publish.publishing import VersionFacts, publish, publish_folders, published_files
from song2vec.publish.signing import SigningKey, make_key

__all__ = ["SigningKey", "VersionFacts", "make_key", "publish", "publish_folders", "published_files"]
