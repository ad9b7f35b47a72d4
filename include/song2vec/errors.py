"""Every error song2vec raises on purpose.

::

    Song2VecError
    ├── PermanentError                trying again cannot help
    │   ├── SettingsError             (ValueError)    a setting is wrong, or two contradict each other
    │   ├── SourceError               (ValueError)    the database refuses: password, table, column, query
    │   ├── DataError                 (ValueError)    the data cannot be used: nothing left, unreadable file
    │   ├── InstallationError         (ImportError)   a compiled part of song2vec is missing
    │   ├── NotFoundError             (LookupError)   a version, channel or song that does not exist
    │   └── RefusedError                              a gate said no, or a move that no longer fits
    │       ├── PinnedError                           a person pinned the channel
    │       └── MovedError                            somebody moved the channel since it was looked at
    └── TransientError                trying again may help
        ├── SourceUnavailableError    (ConnectionError)  the database is gone, slow or locked
        ├── LostRaceError                                somebody else moved the channel first
        └── StoppedError                                 the process was asked to stop; what it did is kept

What reading a model store can raise is in ``song2vec_client.errors``; its branches are the same two.
A message says what was found, what was expected, and what to do. It never holds a secret.
"""


class Song2VecError(Exception):
    """Anything song2vec raises on purpose."""


class PermanentError(Song2VecError):
    """Trying again cannot help."""


class TransientError(Song2VecError):
    """Trying again may help."""


class SettingsError(PermanentError, ValueError):
    """A setting is wrong, or two settings contradict each other."""


class SourceError(PermanentError, ValueError):
    """The database refuses: wrong password, missing table or column, a query that does not parse."""


class DataError(PermanentError, ValueError):
    """The data cannot be used."""


class InstallationError(PermanentError, ImportError):
    """A compiled part of song2vec is missing, or is not for this machine."""


class NotFoundError(PermanentError, LookupError):
    """A version, a channel or a song that does not exist."""


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


class StoppedError(TransientError):
    """The process was asked to stop; what it did so far is kept."""
