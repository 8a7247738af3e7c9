"""The environment variables that limit what checks, builds and runs may use."""

from pydantic import Field
from pydantic_settings import BaseSettings

from config.settings.values import Memory


class LimitSettings(BaseSettings):
    """The part of the settings that says how much; the operator's `[builds] limits` win."""

    check_memory: Memory = Field("2g", description="memory of one check's container")
    check_cpus: float = Field(2, gt=0, description="processors of one check's container")
    check_pids: int = Field(512, ge=16, description="processes in one check's container")
    check_disk: Memory = Field("10g", description="what one check's container may write to disk")
    check_seconds: float = Field(900, gt=0, description="seconds that one check may take")
    checks_at_once: int = Field(
        8, ge=1, description="checks of one run that run at once; the others wait their turn"
    )
    build_seconds: float = Field(1800, gt=0, description="seconds that one image build may take")
    build_cgroup: str | None = Field(
        None, description="the engine's cgroup that is the parent of all builds, if it takes one"
    )
    build_cache: Memory = Field(
        "20g", description="BuildKit's cache on each engine: the sweep prunes it to that"
    )
    fetch_disk: Memory = Field(
        "10g", description="what one repository's mirror may take on a worker's disk"
    )
    free_disk: Memory = Field(
        "1g",
        description="free disk below which no run starts; a tenth of a file system that is smaller",
    )
