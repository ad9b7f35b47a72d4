"""song2vec: from playlists to a published song-embedding model.

The pipeline, in order: ``extract`` and ``collect`` bring raw rows, ``prepare`` makes playlists of them, ``check_data``
decides whether these may be trained on, ``train`` learns vectors, ``evaluate`` measures them, ``gate`` decides,
``publish`` makes a version of them, ``verify`` asks it as a service would, ``promote`` moves a channel to it,
``report`` tells people, ``prune`` tidies up. `stages` has them all. Nothing here knows Airflow.
"""

__version__ = "0.1.0"
