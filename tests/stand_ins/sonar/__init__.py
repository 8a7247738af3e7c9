"""SonarQube over real HTTP, with delayed analyses and webhooks, and an image with a scanner."""

from tests.stand_ins.sonar.image import scanner_image
from tests.stand_ins.sonar.server import Analysis, SonarQube

__all__ = ["Analysis", "SonarQube", "scanner_image"]
