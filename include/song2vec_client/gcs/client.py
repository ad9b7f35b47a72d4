"""The client of google-cloud-storage that is used unless another is given."""

from typing import Any

from song2vec_client.errors import AccessDeniedError


def default_client(credentials: Any = None, project: str | None = None) -> Any:
    """A ``google.cloud.storage.Client`` with the machine's own credentials, or for STORAGE_EMULATOR_HOST.

    Args:
        credentials: ``google.auth`` credentials to use instead of the machine's own.
        project: of those credentials.

    Raises:
        AccessDeniedError: the machine has no credentials.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import storage

    try:
        client = storage.Client(project=project, credentials=credentials)
    except GoogleAuthError:
        raise AccessDeniedError(
            "this machine has no Google credentials: run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to the file of a service account's key, or STORAGE_EMULATOR_HOST "
            "to the address of an emulator"
        ) from None
    # google-cloud-storage 3.11 to 3.17 asks for the bucket's own metadata in a background thread, though nobody
    # traces: a right that readers lack, and two minutes of retries when the service is down. Goes when
    # googleapis/google-cloud-python #17650 is closed.
    client._bucket_metadata_cache = None
    return client
