"""The errors the pipeline raises on purpose, beside those of the client, out of whose two branches they grow.

::

    Song2VecError                     (song2vec_client.errors)
    ├── PermanentError                (song2vec_client.errors) trying again cannot help
    │   ├── SettingsError             (ValueError)       a setting is wrong, or two contradict each other
    │   ├── SourceError               (ValueError)       the database refuses: password, table, column, query
    │   ├── DataError                 (ValueError)       the data cannot be used: nothing left, unreadable file
    │   ├── InstallationError         (ImportError)      a compiled part of song2vec is missing
    │   └── RefusedError                                 a gate said no, or a move that no longer fits
    │       ├── PinnedError                              a person pinned the channel
    │       └── MovedError                               somebody moved the channel since it was looked at
    └── TransientError                (song2vec_client.errors) trying again may help
        ├── SourceUnavailableError    (ConnectionError)  the database is gone, slow or locked
        ├── LostRaceError                                somebody else moved the channel first
        ├── BusyError                                    another process is at work in the same folder
        └── StoppedError                                 the process was asked to stop; what it did is kept

What is not found, denied, damaged or out of reach in a store, a file or a model is drawn in ``song2vec_client.errors``.
A message says what was found, what was expected, and what to do. It never holds a secret.
"""

from song2vec_client.errors import PermanentError, TransientError


class SettingsError(PermanentError, ValueError):
    """A setting is wrong, or two settings contradict each other."""


class SourceError(PermanentError, ValueError):
    """The database refuses: wrong password, missing table or column, a query that does not parse."""


class DataError(PermanentError, ValueError):
    """The data cannot be used."""


class InstallationError(PermanentError, ImportError):
    """A compiled part of song2vec is missing, or is not for this machine."""


class RefusedError(PermanentError):
    """A gate said no, or what was asked for no longer fits."""


class PinnedError(RefusedError):
    """A person pinned the channel: it stays where it is."""


class MovedError(RefusedError):
    """Somebody moved the channel since it was looked at."""


class SourceUnavailableError(TransientError, ConnectionError):
    """The database is gone, slow or locked."""


class LostRaceError(TransientError):
    """Somebody else moved the channel first."""


class BusyError(TransientError):
    """Another process is at work in the same folder."""


class StoppedError(TransientError):
    """The process was asked to stop; what it did so far is kept."""
