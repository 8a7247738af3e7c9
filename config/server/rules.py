"""What holds between the tables of the operator's file, whatever shape they have."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.toml.lines import Path as Location


def across(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """One branch, one environment; one alias, too; one name, one table; at least one of each."""
    yield from _empty(raw)
    yield from _shared_branches(raw)
    yield from _shared_aliases(raw)
    yield from _repeated_names(raw)


def _tables(raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    environments = raw.get("environments")
    for name, table in environments.items() if isinstance(environments, Mapping) else ():
        if isinstance(table, Mapping):
            yield name, table


def _empty(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    if raw.get("environments") == {}:
        yield ("environments",), "expected at least one; add [environments.NAME]"
    if raw.get("repositories") == []:
        yield ("repositories",), "expected at least one; add a [[repositories]] table"
    for name, table in _tables(raw):
        if "name" in table:
            where: Location = ("environments", name, "name")
            yield where, f'unknown key; the name is the table\'s, here "{name}"; remove it'


def _shared_branches(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    owners: dict[str, str] = {}
    for name, table in _tables(raw):
        value = table.get("branch")
        several = value if isinstance(value, list) else [value]
        for index, branch in enumerate(several):
            where: Location = ("environments", name, "branch")
            if not isinstance(branch, str):
                continue
            if branch in owners:
                yield (
                    where if isinstance(value, str) else (*where, index),
                    f'"{branch}" belongs to {owners[branch]} already; give it to one environment',
                )
            owners.setdefault(branch, name)


def _shared_aliases(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Every repository's functions have the same names in all environments, so places may clash.

    An account or region that is the process's own is known only where AWS is asked.
    """
    if not _functions(raw):
        return
    owners: dict[tuple[object, object, object], str] = {}
    for name, table in _tables(raw):
        aws = table.get("aws")
        place = aws if isinstance(aws, Mapping) else {}
        alias = table.get("alias", name)
        key = (place.get("role_arn"), place.get("region"), alias)
        if not all(isinstance(part, str | None) for part in key):
            continue
        if key in owners:
            where: Location = ("environments", name, *(("alias",) if "alias" in table else ()))
            text = (
                f'"{alias}" is the alias of {owners[key]} already, in the same account and region: '
                "both would move the same aliases; give each an alias, a region or a role of its "
                "own, or make them one environment with both branches"
            )
            yield where, text
        owners.setdefault(key, name)


def _functions(raw: Mapping[str, Any]) -> bool:
    """Whether any repository may touch a function at all."""
    repositories = raw.get("repositories")
    return any(
        isinstance(table, Mapping) and bool(table.get("functions"))
        for table in (repositories if isinstance(repositories, list) else ())
    )


def _repeated_names(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    repositories = raw.get("repositories")
    seen: set[str] = set()
    for index, table in enumerate(repositories if isinstance(repositories, list) else ()):
        name = table.get("name") if isinstance(table, Mapping) else None
        if isinstance(name, str) and name.lower() in seen:
            yield ("repositories", index, "name"), "named twice; join the two tables"
        elif isinstance(name, str):
            seen.add(name.lower())
