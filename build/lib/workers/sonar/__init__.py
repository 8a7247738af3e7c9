"""SonarQube: what its scanner is told, and what the server says of an analysis."""

NOT_ASKED = "no [sonar] table"
"""What the analyze stage says of itself where nobody asks for it."""


def event(task_id: str) -> str:
    """The name under which a run awaits the end of a task of SonarQube's."""
    return f"sonar:{task_id}"
