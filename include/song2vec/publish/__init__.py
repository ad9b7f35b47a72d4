"""Stage `publish`: the files of a run become an immutable version of the store."""

from song2vec.publish.publishing import VersionFacts, publish, publish_folders, published_files
from song2vec.publish.signing import SigningKey, make_key

__all__ = ["SigningKey", "VersionFacts", "make_key", "publish", "publish_folders", "published_files"]
