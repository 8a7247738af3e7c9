"""What the environment decides about the web process's door: who is who, and whose word counts."""

from pydantic import Field
from pydantic_settings import BaseSettings

from config.settings.values import LongSecret, LongTokens, Networks


class DoorSettings(BaseSettings):
    """The fields of Settings that are about it."""

    api_tokens: LongTokens = Field(
        default={}, description="who may use the API: `name:token`, several separated by commas"
    )
    web_processes: int = Field(2, ge=1, description="processes that serve HTTP")
    trusted_proxies: Networks = Field(
        (),
        description="addresses and networks of proxies whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` count, separated by commas",
    )
    secret_key: LongSecret | None = Field(
        None,
        description="the key of session cookies; else one that is made and kept in "
        "`SLIPWAY_DATA_DIR`",
    )
