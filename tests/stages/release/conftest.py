"""The harbour, whose packages are built."""

from tests.stages.rollback.conftest import harbour

__all__ = ["harbour"]
