"""How every task is tried: what may pass is tried again after growing pauses, what cannot help is not."""

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

PERMANENT = RetryRule("song2vec_client.errors.PermanentError", RetryAction.FAIL, reason="trying again cannot help")

TASKS = {
    "owner": "song2vec",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": ExceptionRetryPolicy([PERMANENT]),
    "show_return_value_in_logs": False,  # it is on the XCom page
}
"""The ``default_args`` of every DAG."""
