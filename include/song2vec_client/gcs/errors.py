"""Every exception of google-cloud-storage, and of what it stands on, becomes one of ours."""

import os
import re
from http import HTTPStatus

from song2vec_client.errors import (
    AccessDeniedError,
    ChangedError,
    NotFoundError,
    RequestRefusedError,
    Song2VecError,
    StoreUnavailableError,
)

_BY_STATUS: dict[int, tuple[type[Song2VecError], str]] = {
    HTTPStatus.UNAUTHORIZED: (AccessDeniedError, "the credentials were not accepted: renew them"),
    HTTPStatus.FORBIDDEN: (AccessDeniedError, "the credentials lack the right to do this: grant a role on the bucket"),
    HTTPStatus.NOT_FOUND: (NotFoundError, "it does not exist: check the address"),
    HTTPStatus.PRECONDITION_FAILED: (ChangedError, "somebody else wrote it in the meantime"),
    HTTPStatus.REQUEST_TIMEOUT: (StoreUnavailableError, "the service waited too long: try again"),
    HTTPStatus.TOO_MANY_REQUESTS: (StoreUnavailableError, "too many requests: try again later"),
}
_SERVER_FAILED = (StoreUnavailableError, "the service failed: try again later")
_REFUSED = (RequestRefusedError, "the service refused the request")
_SERVER_ERRORS = 500


def translate(error: Exception, uri: str) -> Song2VecError | None:
    """The error of our own tree that says what `error` means for the object at `uri`.

    None where `error` has nothing to do with the service: a full disk, an unreadable file, a bug.
    """
    from google.auth.exceptions import GoogleAuthError, TransportError

    status = _status(error)
    if status is not None:
        kind, meaning = _BY_STATUS.get(status, _SERVER_FAILED if status >= _SERVER_ERRORS else _REFUSED)
        return kind(f"{uri}: {meaning} (HTTP {status}{_reason(error)})")
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return AccessDeniedError(f"{uri}: no usable Google credentials: renew them ({type(error).__name__})")
    if isinstance(error, _connection_errors()):
        emulator = os.environ.get("STORAGE_EMULATOR_HOST")
        where = f"; STORAGE_EMULATOR_HOST is {emulator}" if emulator else ""
        return StoreUnavailableError(
            f"{uri}: no usable answer: try again later ({type(_cause(error)).__name__}{where})"
        )
    return None


def _connection_errors() -> tuple[type[Exception], ...]:
    import http.client

    import requests
    import urllib3
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import TransportError
    from google.cloud.storage.exceptions import DataCorruption

    return (
        GoogleAPIError,
        TransportError,
        DataCorruption,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    )


def _status(error: Exception) -> int | None:
    """The HTTP status behind `error`, where there is one."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.storage.exceptions import InvalidResponse

    error = _cause(error)
    if isinstance(error, GoogleAPICallError) and error.code is not None:
        return int(error.code)
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return None


def _cause(error: Exception) -> Exception:
    """What a retry that gave up had been trying against."""
    from google.api_core.exceptions import RetryError

    if isinstance(error, RetryError) and isinstance(error.cause, Exception):
        return error.cause
    return error


def _reason(error: Exception) -> str:
    """What the service reason, without addresses: an upload's address lets anyone who has it write."""
    reason = re.sub(r"\w+://\S+", "…", str(getattr(_cause(error), "message", "")))
    return f": {reason[:200]}" if reason else ""
