"""What holds between the tables of the operator's file, whatever shape they have."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.toml_lines import Path as Location


def across(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """One branch, one environment; one name, one table; at least one of each."""
    yield from _empty(raw)
    yield from _shared_branches(raw)
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


def _repeated_names(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    repositories = raw.get("repositories")
    seen: set[str] = set()
    for index, table in enumerate(repositories if isinstance(repositories, list) else ()):
        name = table.get("name") if isinstance(table, Mapping) else None
        if isinstance(name, str) and name.lower() in seen:
            yield ("repositories", index, "name"), "named twice; join the two tables"
        elif isinstance(name, str):
            seen.add(name.lower())
