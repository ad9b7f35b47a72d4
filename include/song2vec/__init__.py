"""song2vec: from playlists to a published song-embedding model.

The pipeline, in order: ``extract`` and ``collect`` bring raw rows, ``prepare`` makes playlists of
them, ``train`` learns vectors, ``evaluate`` measures them, ``gate`` decides, ``publish`` makes a
version of them, ``promote`` moves a channel to it, ``report`` tells people. Nothing here knows Airflow.
"""

__version__ = "0.1.0"
