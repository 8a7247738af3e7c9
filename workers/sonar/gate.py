"""What the gate says of our own analysis, in words."""

from workers.ledger.model.errors import OurError, UserError
from workers.sonar.client import Condition, Sonar, Task

BAD = frozenset({"ERROR", "WARN"})
LETTERS = {"1": "A", "2": "B", "3": "C", "4": "D", "5": "E"}


def verdict(server: Sonar, task_id: str, where: str) -> str | None:
    """That the gate is passed, in a few words; None while the server is still at it.

    `where` is the page on which people see more.

    Raises:
        UserError: it is not passed; the text names each condition that failed.
        OurError: the server could not analyse what it was sent, or has no gate for it.
        PassingError: it is out of reach.
    """
    task = server.task(task_id)
    if task.open:
        return None
    gate = server.gate(_analysis(task))
    failed = [words(one) for one in gate.conditions if one.status in BAD]
    see = f" ({where})" if where else ""
    if gate.status == "ERROR":
        why = "; ".join(failed) or "it does not say why"
        raise UserError(f"SonarQube's quality gate failed: {why}{see}")
    if gate.status == "NONE":
        raise OurError(
            f"SonarQube has no quality gate for the project{see}: the operator gives it one, or "
            "makes one the default"
        )
    count = len(gate.conditions)
    passed = f"quality gate passed, {count} condition{'' if count == 1 else 's'}"
    return f"{passed}; warnings: {'; '.join(failed)}" if gate.status == "WARN" else passed


def _analysis(task: Task) -> str:
    if task.status == "SUCCESS" and task.analysis:
        return task.analysis
    why = f": {task.error}" if task.error else ""
    raise OurError(
        f"SonarQube could not process the analysis ({task.status.lower()}){why}; the operator "
        "finds more under Administration, Projects, Background Tasks"
    )


def words(condition: Condition) -> str:
    """One condition that failed: what is measured, its value, and what is wanted."""
    metric = condition.metric
    name = metric.removeprefix("new_").replace("_", " ")
    name = f"{name} on new code" if metric.startswith("new_") else name
    bound = {"LT": "at least ", "GT": "at most "}.get(condition.comparator, "")
    actual, wanted = _value(metric, condition.actual), _value(metric, condition.threshold)
    return f"{name} is {actual or 'not measured'}, wanted {bound}{wanted}"


def _value(metric: str, text: str) -> str:
    return LETTERS.get(text.removesuffix(".0"), text) if metric.endswith("_rating") else text
