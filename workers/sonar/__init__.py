"""SonarQube: what its scanner is told, and what the server says of an analysis."""

NOT_ASKED = "no [sonar] table"
"""What the analyze stage says of itself where nobody asks for it."""
