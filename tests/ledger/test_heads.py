"""What deliveries and the poll tell of branches."""

from tests.ledger.conftest import STAGES
from tests.orders import order
from workers.ledger.heads import Heads

C = [letter * 40 for letter in "abcdef"]


def push(book, before, after, *, forced=False, delivery=""):
    """A push, as it is accepted."""
    wanted = order(commit=C[after], before=C[before], forced=forced)
    book.accept(wanted, delivery, STAGES, "build")


def heads(book):
    """The heads that were told of, by their number."""
    return [C.index(after) if after else None for _, after, _ in book.history.heads(7, "develop")]


def test_pushes_are_remembered_in_their_order(book):
    """With what each found there, and whether it was forced; a repeat adds nothing."""
    push(book, 0, 1)
    push(book, 1, 2, forced=True, delivery="one")
    push(book, 1, 2, forced=True, delivery="one")
    assert book.history.heads(7, "develop") == [(C[0], C[1], False), (C[1], C[2], True)]


def test_a_late_delivery_takes_nothing_back(book):
    """What has been passed is the head again only after a reset from the head."""
    push(book, 1, 2)
    push(book, 0, 1)
    assert heads(book) == [2]
    push(book, 2, 1, forced=True)
    assert heads(book) == [2, 1]


def test_a_deletion_and_what_was_asked_for(book):
    """Both are heads; what was asked for just now counts, whatever came before."""
    push(book, 0, 1)
    push(book, 1, 2)
    Heads(book.redis).told(7, "octo/movies-loader", "develop", None, C[2])
    assert heads(book) == [1, 2, None]
    Heads(book.redis).told(7, "octo/movies-loader", "develop", C[1], sure=True)
    assert heads(book) == [1, 2, None, 1]


def test_a_check_and_a_retry_tell_nothing(book):
    """Only a deploy that somebody pushed says where its branch is."""
    found = book.take_on(order(commit=C[1]))
    book.accept(order(commit=C[2], purpose="check", environment=None), "", STAGES, "build")
    book.accept(order(commit=C[1]), "", STAGES, "build", instead_of=found)
    assert heads(book) == [1]


def test_few_are_kept(book):
    """A branch costs the ledger no more than its last twenty heads."""
    for number in range(50):
        book.take_on(order(commit=f"{number:040x}"))
    kept = book.history.heads(7, "develop")
    assert len(kept) == 20
    assert kept[-1][1] == f"{49:040x}"
