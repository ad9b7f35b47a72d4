"""The task that asks a person, with Airflow's own operator, where the settings of the run say so."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import get_current_context

from song2vec_airflow.run import current_run, skip

TASK = "approve"
ANSWER = "answer"


class Approval(ApprovalOperator):
    """Asks whether the channel may move to the published version; *Reject* skips what follows.

    The task is skipped, and nobody asked, where ``gate.approval`` is off or there is nothing to approve.

    Args:
        decision: the record of the task `gate`.
        evaluation: the record of the task `evaluate`.
        published: the record of the task `publish`.
        kwargs: what every operator takes.
    """

    template_fields = (*ApprovalOperator.template_fields, "decision", "evaluation", "published")

    def __init__(self, *, decision: Any, evaluation: Any, published: Any, **kwargs: Any) -> None:
        # Subject and time-out are those of the run, known when it is under way.
        super().__init__(subject="May the channel move?", response_timeout=timedelta(hours=1), **kwargs)
        self.decision = decision
        self.evaluation = evaluation
        self.published = published

    def execute(self, context: Any) -> Any:
        """Ask, and wait without holding a worker."""
        from song2vec.gates import may_promote, question
        from song2vec.plumbing.files import read_json

        run = current_run()
        settings = run.settings.gate
        if not settings.approval:
            skip("nobody is asked: gate.approval is off")
        if not may_promote(self.decision):
            skip("there is nothing to approve: the gate refused the model")
        decision = read_json(run.files.fetch(self.decision["uri"]) / "decision.json")
        metrics = read_json(run.files.fetch(self.evaluation["uri"]) / "metrics.json")
        self.subject, self.body = question(run.settings.publish.channel, self.published["version"], decision, metrics)
        self.defaults = [settings.approval_default]
        self.response_timeout = timedelta(hours=settings.approval_hours)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Keep the answer for `answer`, then do as it says. *Reject* ends this task at once: it returns nothing."""
        from song2vec.gates import answered

        if "error" not in event:
            user, approved = event["responded_by_user"], event["chosen_options"] == [self.APPROVE]
            told = answered(approved, user["name"] if user else None, current_run().settings.gate.approval_hours)
            self.log.info(told)
            context["task_instance"].xcom_push(ANSWER, told)
        return super().execute_complete(context, event)


def answer() -> str:
    """What was answered in this run, in a sentence; empty where nobody was asked."""
    return get_current_context()["task_instance"].xcom_pull(task_ids=TASK, key=ANSWER) or ""
