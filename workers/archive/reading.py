"""A whole log out of S3: piece by piece for who reads it over HTTP, or packed for an email."""

from workers.archive.ending import packed, rest
from workers.archive.store import key
from workers.aws import stored
from workers.aws.faults import MissingError
from workers.ledger.model.errors import RunError
from workers.ledger.model.run import Run
from workers.ledger.parts import END, GONE, PIECE_BYTES, Piece
from workers.workshop import Workshop, place_of


def serve(shop: Workshop, run_id: str) -> None:
    """Bring the pieces of a run's whole log that readers wait for."""
    run = shop.ledger.history.run(run_id)
    while run is not None and (want := shop.ledger.parts.wanted(run_id)):
        shop.ledger.parts.bring(run_id, want, _piece(shop, run, want))


def _piece(shop: Workshop, run: Run, want: str) -> Piece:
    _, name, start = want.split("/")
    place = place_of(shop, run)
    if place is None:
        return Piece(b"", GONE)
    try:
        data = stored.slice_of(*place, key(run.id, name), int(start), PIECE_BYTES)
    except MissingError:
        return Piece(b"", GONE)
    except RunError as error:
        return Piece(b"", str(error))
    return Piece(data)


def whole(shop: Workshop, run: Run, most: int) -> bytes | None:
    """The whole log of an ended run, gzip'd, if it has parts; None above so many bytes.

    Raises:
        RunError: S3 is out of reach, or refuses.
    """
    place = place_of(shop, run)
    parts = [one for one in shop.ledger.parts.of(run.id) if one.name != END]
    there = bool(parts) and all(one.stored for one in parts)
    if place is None or not there or sum(one.size for one in parts) > most:
        return None
    with packed(rest(shop, run)) as file:
        file.seek(0)
        last = file.read()
    bodies = (stored.read(*place, key(run.id, one.name)) for one in parts)
    found = b"".join((*bodies, last))
    return found if len(found) <= most else None
