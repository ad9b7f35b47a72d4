"""Every error the client raises on purpose, and the base of those of all other packages.

::

    Song2VecError
    ├── PermanentError                trying again cannot help
    │   ├── AddressError              (ValueError)       not an address of the form gs://BUCKET/PREFIX
    │   ├── AccessDeniedError         (PermissionError)  no credentials, or not enough rights
    │   ├── RequestRefusedError       (OSError)          the service refused the request for another reason
    │   ├── NotFoundError             (LookupError)      no such bucket, channel, version, object, file or song
    │   ├── ConflictError             (FileExistsError)  the object exists already, with other content
    │   ├── CorruptModelError         (ValueError)       what was read is not what the format or the manifest says
    │   ├── UnsupportedFormatError    (ValueError)       published in a format newer than this client
    │   ├── UntrustedError            (PermissionError)  not signed by the public key that was given
    │   └── KeyFileError              (ValueError)       the public key that was given cannot be used
    └── TransientError                trying again may help
        ├── StoreUnavailableError     (ConnectionError)  no answer in time, too many requests, a server's failure
        └── ChangedError                                 somebody else wrote the object in the meantime

The pipeline's errors grow out of the same two branches: ``song2vec.errors`` draws them.
A message says what was found, what was expected, and what to do. It never holds a secret.
"""


class Song2VecError(Exception):
    """Anything the client or the pipeline raises on purpose."""


class PermanentError(Song2VecError):
    """Trying again cannot help."""


class TransientError(Song2VecError):
    """Trying again may help."""


class AddressError(PermanentError, ValueError):
    """Not an address of the form ``gs://BUCKET/PREFIX``."""


class AccessDeniedError(PermanentError, PermissionError):
    """No credentials, or not enough rights."""


class RequestRefusedError(PermanentError, OSError):
    """The service refused the request for another reason."""


class NotFoundError(PermanentError, LookupError):
    """No such bucket, channel, version, object, file or song."""


class ConflictError(PermanentError, FileExistsError):
    """The object exists already, with other content."""


class CorruptModelError(PermanentError, ValueError):
    """What was read is not what the format or the manifest says."""


class UnsupportedFormatError(PermanentError, ValueError):
    """Published in a format newer than this client."""


class UntrustedError(PermanentError, PermissionError):
    """Not signed by the public key that was given."""


class KeyFileError(PermanentError, ValueError):
    """The public key that was given cannot be used."""


class StoreUnavailableError(TransientError, ConnectionError):
    """No answer in time, too many requests, or a failure of the server."""


class ChangedError(TransientError):
    """Somebody else wrote the object in the meantime."""
