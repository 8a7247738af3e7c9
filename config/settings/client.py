"""What the `slipway` command needs to speak to a Slipway, read from the environment."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.settings import named
from config.settings.values import CaBundle, Tokens


class ClientSettings(BaseSettings):
    """What the `slipway` command needs to speak to a Slipway."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, populate_by_name=True)

    base_url: str = Field(
        "http://127.0.0.1:8000",
        validation_alias=AliasChoices("SLIPWAY_URL", "SLIPWAY_PUBLIC_URL"),
        description="`SLIPWAY_URL`: the Slipway that the command asks; else `SLIPWAY_PUBLIC_URL`",
    )
    ca_bundle: CaBundle | None = named(
        "SLIPWAY_CA_BUNDLE", None, description="more authorities that may vouch for that Slipway"
    )
    token: SecretStr | None = named(
        "SLIPWAY_TOKEN", None, description="its token; else the first of `SLIPWAY_API_TOKENS`"
    )
    api_tokens: Tokens = named("SLIPWAY_API_TOKENS", {}, description="as the web process has them")

    @property
    def url(self) -> str:
        """The base URL without a slash at its end."""
        return self.base_url.rstrip("/")

    @property
    def bearer(self) -> str | None:
        """The token to send, if there is any."""
        chosen = self.token or next(iter(self.api_tokens.values()), None)
        return chosen.get_secret_value().strip() if chosen else None
