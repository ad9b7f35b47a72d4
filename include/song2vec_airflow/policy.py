"""How every task is tried: transient errors are retried with growing delays, permanent ones are not."""

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

PERMANENT = RetryRule("song2vec_client.errors.PermanentError", RetryAction.FAIL, reason="trying again cannot help")

DEFAULT_ARGS = {
    "owner": "song2vec",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": ExceptionRetryPolicy([PERMANENT]),
    "show_return_value_in_logs": False,  # it is on the XCom page
}
"""Of every DAG."""
