"""A program for the version before: runs in every state, and all else that a ledger keeps."""

MAKE = """
import json, sys
from workers.ledger import Ledger, keys
from workers.ledger.checked import Heads as Checks
from workers.ledger.connection import hasty
from workers.ledger.heads import Heads
from workers.ledger.model.approval import Vote
from workers.ledger.model.errors import HeldError, PeopleError
from workers.ledger.model.observation import Observation
from workers.ledger.model.order import Order, PullRequest, Rollback
from workers.ledger.model.run import Release, StageRecord, StageState, State
from workers.ledger.owners import Owner, Owners, Refused
from workers.ledger.observations import Observations
from workers.ledger.sessions import Session
from workers.ledger.upkeep import Mark, Upkeep
from workers.ledger.parts import Part

redis = hasty(sys.argv[1])
ledger = Ledger(redis)
STAGES = ("checkout", "test", "analyze", "build", "publish", "deploy", "verify", "approve",
    "release")
made, count = {}, 0

def order(**changes):
    global count
    count += 1
    fields = dict(repository="octo/movies-loader", repository_id=7, ref="refs/heads/develop",
        clone_url="https://github.com/octo/movies-loader.git", commit=f"{count:040x}",
        purpose="deploy", environment="sandbox", sender="ada", before="0" * 40)
    return Order.model_validate(fields | changes)

def accept(name, **changes):
    wanted = order(**changes)
    taken = ledger.accept(wanted, f"delivery-{name}", STAGES, "build")
    assert taken.fresh
    made[name] = taken.run_id
    return taken.run_id

def leased(name, seconds=60.0, **changes):
    run_id = accept(name, **changes)
    return ledger.lease(run_id, f"worker-{name}", f"n-{name}", seconds=seconds, capacity=9)

def stages(**states):
    known = ((name, StageState(states.get(name, "pending"))) for name in STAGES)
    return tuple(StageRecord(name=name, state=state) for name, state in known)

PLACE = "123456789012/eu-west-3/MoviesLoader/sandbox"
lease = leased("succeeded")
lease.say("build", "a line\\n", 10_000)
lease.releases([Release(function="MoviesLoader", version="7", alias="sandbox", sha256="abc=")])
lease.published(keys.published("123456789012/eu-west-3", "MoviesLoader"), "7", "1" * 40, "abc=")
with lease.locked("function:123456789012/eu-west-3/MoviesLoader"):
    ours = dict(commit="1" * 40, repository="octo/movies-loader", run=made["succeeded"])
    row = ours | dict(function="MoviesLoader", version="7", alias="sandbox", sha256="abc=")
    site = ours | dict(site="shop/sandbox")
    lease.live("sandbox", [(PLACE, row), ("site:shop/sandbox", site)])
lease.finish(State.SUCCEEDED, stages())
revision, told = ledger.report_begin(made["succeeded"], "t", 5)
ledger.report_end(made["succeeded"], "t", revision, "{}")

leased("failed").finish(State.FAILED, stages(test="failed"), "user", "the tests failed")
ledger.cancel(accept("cancelled"), "ada cancelled it")
lease = leased("superseded")
lease.wait(PeopleError(3600, "7:production"), stages(approve="waiting"))
lease = leased("approval", environment="production", ref="refs/heads/master")
lease.wait(PeopleError(3600, "7:production", made["superseded"]), stages(approve="waiting"))
vote = Vote(who="bob", verdict="approve", at=0, origin="web", note="")
assert ledger.vote(made["approval"], vote, 2, "deploy") == "counted"

lease = leased("turn")
lease.awaits("sonar:task-1")
lease.park(State.WAITING, stages(release="waiting"), delay=3600, queue="deploy")
lease = leased("paused")
lease.park(State.QUEUED, stages(), delay=0, queue="deploy", why="AWS is away", retries=1)

ledger.locks.lock("staging", "ada", "a demonstration")
lease = leased("held", environment="staging", ref="refs/heads/staging")
assert lease.admitted("staging", "7:staging")
lease.hold_back(HeldError("locked", "staging", "7:staging"), stages(release="waiting"))

lease = leased("rollout", environment="production", ref="refs/heads/master")
assert lease.claim([PLACE.replace("sandbox", "production")]) == ""
lease.park(State.WAITING, stages(release="waiting"), delay=3600, queue="deploy")

running = leased("running", seconds=1.0)
running.write(pipeline="[build]", tree="abc")
running._taken("function:123456789012/eu-west-3/MoviesWorker")
pull = PullRequest(number=3, head="b" * 40)
accept("check", purpose="check", environment=None, commit="b" * 40, pull_request=pull)
accept("queued")

back = order(purpose="rollback", environment="preprod", rollback=Rollback(reason="slow"))
done = ledger.locks.rollback(back, ("deploy", "release"), "deploy", "[]", [])
made["rollback"] = done.run_id

Heads(redis).told(7, "octo/movies-loader", "develop", "c" * 40, "0" * 40)
owner = Owner(repository_id=7, repository="octo/movies-loader", environment="sandbox")
Owners(redis).inherit(PLACE, owner)
Owners(redis).refuse("x", Refused(repository_id=8, repository="octo/other", environment="sandbox",
    words="x", run=made["failed"]))
made["cookie"] = ledger.sessions.open(Session("ada", "print"), "127.0.0.1")
ledger.sessions.record("signed_in", "ada", "127.0.0.1")
Observations(redis).write(Observation(environment="sandbox", at=ledger.now()))
made["identity"] = ledger.identity()
ledger.parts.begun(made["failed"], "00001", "s3://x")
ledger.reports.put(made["failed"], "unit", [("index.html", b"<p>")], 600)
print(json.dumps(made))
"""

READ = """
import json, sys
from service import create_app
client = create_app().test_client()
word = {"Authorization": "Bearer a-token-for-tests"}
answers = {path: client.get(path, headers=word).get_data(as_text=True) for path in sys.argv[1:]}
print(json.dumps(answers))
"""

WRITE = """
import json, sys
from redis.exceptions import RedisError
from workers.ledger import Ledger
from workers.ledger.connection import hasty
from workers.ledger.lease import Lease
from workers.ledger.model.approval import Vote
from workers.ledger.model.errors import StoppedError
from workers.ledger.model.order import Order, PullRequest, Rollback
from workers.ledger.model.run import State
from workers.ledger.scripts import Scripts
from workers.ledger.sweep import overdue

url, known = sys.argv[1], json.loads(sys.argv[2])
ledger = Ledger(hasty(url))

def order(**changes):
    fields = dict(repository="octo/movies-loader", repository_id=7, ref="refs/heads/develop",
        clone_url="https://github.com/octo/movies-loader.git", commit="d" * 40,
        purpose="deploy", environment="sandbox", before="0" * 40)
    return Order.model_validate(fields | changes)

lease = Lease(Scripts(ledger.redis), known["running"], known["fence"], 60)
pull = PullRequest(number=3, head="b" * 40)
check = dict(purpose="check", environment=None)
first = order(commit=f"{1:040x}")
over = order(**check, pull_request=PullRequest(number=3, head="b" * 40, closed=True))
vote = Vote(who="eve", verdict="approve", at=0, origin="web", note="")
tries = {
    "push": lambda: ledger.accept(order(), "d1", ("checkout",), "build"),
    "pull": lambda: ledger.accept(order(**check, pull_request=pull), "d2", ("checkout",), "build"),
    "again": lambda: ledger.accept(first, "delivery-succeeded", ("checkout",), "build"),
    "closed": lambda: ledger.accept(over, "d3", ("checkout",), "build"),
    "beat": lease.renew,
    "write": lambda: lease.write(tree="evil"),
    "finish": lambda: lease.finish(State.SUCCEEDED, ()),
    "take": lambda: lease._taken("function:x"),
    "lease": lambda: ledger.lease(known["queued"], "w", "n", seconds=60, capacity=3),
    "vote": lambda: ledger.vote(known["approval"], vote, 2, "deploy"),
    "cancel": lambda: ledger.cancel(known["queued"], "why"),
    "lock": lambda: ledger.locks.lock("sandbox", "eve", "why"),
    "unlock": lambda: ledger.locks.unlock("staging", "why"),
    "ring": lambda: ledger.ring("advance", known["queued"], "build"),
    "sweep": lambda: overdue(Scripts(ledger.redis), 0, everywhere=True),
    "identity": ledger.identity,
    "record": lambda: ledger.sessions.record("signed_in", "eve", "127.0.0.1"),
    "page": lambda: list(ledger.history.deployed()),
}
answers = {}
for name, do in tries.items():
    try:
        answers[name] = repr(do())
    except (RedisError, StoppedError) as error:
        answers[name] = f"{type(error).__name__}: {error}"
print(json.dumps(answers))
"""
