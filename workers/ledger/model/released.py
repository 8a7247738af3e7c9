"""What was made live somewhere, one function or site a row, as the ledger keeps it."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from workers.ledger.model.order import Source


def _list(found: object) -> object:
    # Redis's Lua writes an empty list as an empty object.
    return found or ()


class WentBack(BaseModel):
    """By whom and why something was rolled back, and from which commit; `function`: it alone."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    by: str | None = None
    from_: str | None = Field(default=None, alias="from")
    function: str | None = None
    reason: str = ""


class ReleasedSite(BaseModel):
    """A site as a release put it: its bucket, how long files stay (seconds), its CloudFront."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    keep: float
    distribution: str | None = None


class Released(BaseModel):
    """What one place runs since a release, or ran; rows of older versions have less.

    `commits` are those that the version stands for where they are several; `revision` is the
    alias's after the move, `home` the account and region. Of the history alone: `at` (milliseconds
    since 1970), `pruned` (the version was deleted since), `event` ("repaired": the alias was put
    back to what it is, from `found`).
    """

    model_config = ConfigDict(frozen=True)

    function: str | None = None
    version: str | None = None
    alias: str | None = None
    sha256: str | None = None
    commits: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    revision: str | None = None
    home: str | None = None
    site: ReleasedSite | None = None
    commit: str | None = None
    repository: str | None = None
    environment: str | None = None
    run: str | None = None
    source: Source | None = None
    rollback: WentBack | None = None
    at: int | None = None
    pruned: bool = False
    event: str | None = None
    found: str | None = None

    def row(self) -> dict[str, Any]:
        """Returns what is kept of it: what was said of it, under the names that it always had."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
