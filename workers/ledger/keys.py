"""The names of everything that the ledger keeps in Redis; scripts have them from here too."""

PREFIX = "slipway:{ledger}:"
"""What is in braces tells a cluster that all of them belong together."""
FORMER_PREFIX = "slipway:"
FORMER_CLOCK = f"{FORMER_PREFIX}clock"
FORMER_RUNS = f"{FORMER_PREFIX}runs"

AUDIT = f"{PREFIX}audit"
AWAITS = f"{PREFIX}awaits:"
BELL = f"{PREFIX}bell:"
BRANCHES = f"{PREFIX}branches"
BROKER_PREFIX = f"{PREFIX}celery:"
BUDGET = f"{PREFIX}budget:"
BUILT = f"{PREFIX}built:"
CHECKED = f"{PREFIX}checked:"
CLOCK = f"{PREFIX}clock"
DELIVERY = f"{PREFIX}delivery:"
DRAIN = f"{PREFIX}drain:"
DUE = f"{PREFIX}due"
FENCE = f"{PREFIX}fence"
GRANTED = f"{PREFIX}granted:"
GUESSES = f"{PREFIX}guesses:"
HEADS = f"{PREFIX}heads"
HELD = f"{PREFIX}held:"
IDENTITY = f"{PREFIX}identity"
LEASES = f"{PREFIX}leases"
LIVE = f"{PREFIX}live"
LOCK = f"{PREFIX}lock:"
LOCKED = f"{PREFIX}locked:"
LOG = f"{PREFIX}log:"
LOOK = f"{PREFIX}look:"
METRICS = f"{PREFIX}metrics"
OBSERVED = f"{PREFIX}observed"
ONCE = f"{PREFIX}once:"
ORDER = f"{PREFIX}order:"
OWNERS = f"{PREFIX}owners"
PARTS = f"{PREFIX}parts:"
PAUSE = f"{PREFIX}pause:"
PIECE = f"{PREFIX}piece:"
PROBE = f"{PREFIX}probe"
PRUNE_FROM = f"{PREFIX}prune_from"
PUBLISHED = f"{PREFIX}published:"
REFUSED = f"{PREFIX}refused:"
RELEASED = f"{PREFIX}released:"
REPORT = f"{PREFIX}report:"
REPORTING = f"{PREFIX}reporting:"
REPORTS = f"{PREFIX}reports"
ROLLOUTS = f"{PREFIX}rollouts"
RUN = f"{PREFIX}run:"
RUNS = f"{PREFIX}runs"
SCHEMA = f"{PREFIX}schema"
SESSION = f"{PREFIX}session:"
SWEEP_FROM = f"{PREFIX}sweep_from"
TASK = f"{PREFIX}task:"
TESTED = f"{PREFIX}tested:"
TIPS = f"{PREFIX}tips"
UNPRUNED = f"{PREFIX}unpruned:"
WAITING = f"{PREFIX}waiting:"
WANTED = f"{PREFIX}wanted:"

RELEASES_KEPT = 2000
"""How many releases an environment's history goes back."""
# fmt: off
AS_IT_IS = {
    "stages", "checks", "rollout", "releases", "retries", "unfinished", "pipeline", "tree",
    "packages", "build_key", "reused", "analysis", "awaits", "before", "origin", "gone",
    "site", "site_switched", "stuck", "untidy",
}
# fmt: on
"""Fields of a run that its stages must find as they wrote them; text in any other is masked."""


def session(digest: str) -> str:
    """One person's session."""
    return f"{SESSION}{digest}"


def guesses(kind: str, address: str) -> str:
    """How many wrong tokens came lately from one address, or from `all`."""
    return f"{GUESSES}{kind}:{address}"


def run(run_id: str) -> str:
    """The hash of one run."""
    return f"{RUN}{run_id}"


def task(task_id: str) -> str:
    """The hash of one queued task."""
    return f"{TASK}{task_id}"


def log(run_id: str) -> str:
    """The stream of one run's log."""
    return f"{LOG}{run_id}"


def parts(run_id: str) -> str:
    """The hash of the parts of one run's whole log."""
    return f"{PARTS}{run_id}"


def wanted(run_id: str) -> str:
    """The pieces of one run's whole log that readers wait for."""
    return f"{WANTED}{run_id}"


def piece(run_id: str, want: str) -> str:
    """A piece of one run's whole log, on its way from S3 to a reader."""
    return f"{PIECE}{run_id}:{want}"


def bell(run_id: str) -> str:
    """The stream that wakes those who follow one run."""
    return f"{BELL}{run_id}"


def report(run_id: str, check: str) -> str:
    """The hash of one check's report, a field for each file."""
    return f"{REPORT}{run_id}:{check}"


def repository(name: str) -> str:
    """The index of one repository's runs."""
    return f"{RUNS}:{name.lower()}"


def branch(repository_name: str, branch_name: str) -> str:
    """The index of the runs of one branch."""
    return f"{RUNS}:{repository_name.lower()}:{branch_name}"


def alias(home: str, function: str, name: str) -> str:
    """The place that one function's alias is, in what is live; `home` is `ACCOUNT/REGION`."""
    return f"{home}/{function}/{name}"


def function_lock(home: str, function: str) -> str:
    """The name of the lock on one function's code, which all of its aliases share."""
    return f"function:{home}/{function}"


def head(repository_id: int, branch_name: str) -> str:
    """What one branch is called among the heads that were told of."""
    return f"{repository_id}:{branch_name}"


def drain(owner: str) -> str:
    """What says that a worker is shutting down."""
    return f"{DRAIN}{owner}"


def released(environment: str) -> str:
    """What was released to an environment, newest first."""
    return f"{RELEASED}{environment}"


def once(name: str) -> str:
    """What says that something was done lately."""
    return f"{ONCE}{name}"


def built(key: str) -> str:
    """What was built out of one git tree with the same build arguments."""
    return f"{BUILT}{key}"


def tested(repository_id: int, tree: str) -> str:
    """The verdict of the checks on one git tree."""
    return f"{TESTED}{repository_id}:{tree}"


def checked(repository_id: int, head: str) -> str:
    """The checks of one head, and the open pull requests that it is the head of."""
    return f"{CHECKED}{repository_id}:{head}"


def waiting(place: str) -> str:
    """The run that waits for people at one place."""
    return f"{WAITING}{place}"


def awaited(name: str) -> str:
    """The run that goes on when something of that name happens."""
    return f"{AWAITS}{name}"


def pause(name: str) -> str:
    """What says that somebody outside asked to be left alone."""
    return f"{PAUSE}{name}"


def published(home: str, function: str) -> str:
    """The versions of a function that Slipway published."""
    return f"{PUBLISHED}{home}/{function}"


def unpruned(environment: str) -> str:
    """The functions of an environment whose old versions could not be deleted, and why."""
    return f"{UNPRUNED}{environment}"


def refused(repository_name: str) -> str:
    """The places that a repository wanted and that are another's."""
    return f"{REFUSED}{repository_name.lower()}"


def granted(repository_name: str) -> str:
    """Who has let a repository take over what it is refused."""
    return f"{GRANTED}{repository_name.lower()}"


def locked(environment: str) -> str:
    """Who has locked an environment, and why; it goes when the lock expires."""
    return f"{LOCKED}{environment}"


def held(environment: str) -> str:
    """The runs that a lock holds back, by the place they wait at."""
    return f"{HELD}{environment}"


def look(environment: str) -> str:
    """When somebody asked for a look at an environment."""
    return f"{LOOK}{environment}"


def order(key: str) -> str:
    """The run of an order, by what makes two orders the same."""
    return f"{ORDER}{key}"


def event(task_id: str) -> str:
    """The name under which a run awaits the end of a task of SonarQube's."""
    return f"sonar:{task_id}"
