"""The deploys of the rollback tests, and an approval where a test asks for one."""

from tests.stages.rollback.conftest import harbour  # noqa: F401 - a fixture
