"""The task that asks a person, with Airflow's own operator, where the settings of the run say so."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import get_current_context

from song2vec_airflow.run import current_run, skip

TASK_ID = "approve"
ANSWER = "answer"


class Approval(ApprovalOperator):
    """Asks whether the channel may move to the published version; *Reject* skips what follows.

    The task is skipped, and nobody asked, where ``gate.approval`` is off or there is nothing to approve.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Subject and time-out are those of the run, known when it is under way.
        super().__init__(subject="May the channel move?", response_timeout=timedelta(hours=1), **kwargs)

    def execute(self, context: Any) -> Any:
        """Ask, and wait without holding a worker."""
        from song2vec.gates import may_promote, question
        from song2vec.records import Decision, Metrics

        run = current_run()
        settings = run.settings.gate
        if not settings.approval:
            skip("nobody is asked: gate.approval is off")
        decision = Decision.read(run.folder("gate") / Decision.FILE)
        if not may_promote(decision):
            skip("there is nothing to approve: the gate refused the model")
        metrics = Metrics.read(run.folder("evaluate") / Metrics.FILE)
        self.subject, self.body = question(run.live.channel, run.version, decision, metrics)
        self.defaults = [settings.approval_default]
        self.response_timeout = timedelta(hours=settings.approval_hours)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Keep the answer for `answer`, then do as it says. *Reject* ends this task at once: it returns nothing."""
        from song2vec.gates import answered

        if "error" not in event:
            user, approved = event["responded_by_user"], event["chosen_options"] == [self.APPROVE]
            sentence = answered(approved, user["name"] if user else None, current_run().settings.gate.approval_hours)
            self.log.info(sentence)
            context["task_instance"].xcom_push(ANSWER, sentence)
        return super().execute_complete(context, event)


def answer() -> str:
    """What was answered in this run, in a sentence; empty where nobody was asked."""
    return get_current_context()["task_instance"].xcom_pull(task_ids=TASK_ID, key=ANSWER) or ""
