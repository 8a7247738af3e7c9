"""The names of everything that the ledger keeps in Redis."""

PREFIX = "slipway:"
DUE = f"{PREFIX}due"
LEASES = f"{PREFIX}leases"
REPORTS = f"{PREFIX}reports"
RUNS = f"{PREFIX}runs"
PRUNE_FROM = f"{PREFIX}prune_from"
BRANCHES = f"{PREFIX}branches"
IDENTITY = f"{PREFIX}identity"
LIVE = f"{PREFIX}live"
ROLLOUTS = f"{PREFIX}rollouts"
METRICS = f"{PREFIX}metrics"
OBSERVED = f"{PREFIX}observed"
OWNERS = f"{PREFIX}owners"
AUDIT = f"{PREFIX}audit"
PROBE = f"{PREFIX}probe"
HEADS = f"{PREFIX}heads"
BROKER_PREFIX = f"{PREFIX}celery:"
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
    return f"{PREFIX}session:{digest}"


def guesses(kind: str, address: str) -> str:
    """How many wrong tokens came lately from one address, or from `all`."""
    return f"{PREFIX}guesses:{kind}:{address}"


def run(run_id: str) -> str:
    """The hash of one run."""
    return f"{PREFIX}run:{run_id}"


def task(task_id: str) -> str:
    """The hash of one queued task."""
    return f"{PREFIX}task:{task_id}"


def log(run_id: str) -> str:
    """The stream of one run's log."""
    return f"{PREFIX}log:{run_id}"


def parts(run_id: str) -> str:
    """The hash of the parts of one run's whole log."""
    return f"{PREFIX}parts:{run_id}"


def wanted(run_id: str) -> str:
    """The pieces of one run's whole log that readers wait for."""
    return f"{PREFIX}wanted:{run_id}"


def piece(run_id: str, want: str) -> str:
    """A piece of one run's whole log, on its way from S3 to a reader."""
    return f"{PREFIX}piece:{run_id}:{want}"


def bell(run_id: str) -> str:
    """The stream that wakes those who follow one run."""
    return f"{PREFIX}bell:{run_id}"


def report(run_id: str, check: str) -> str:
    """The hash of one check's report, a field for each file."""
    return f"{PREFIX}report:{run_id}:{check}"


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
    return f"{PREFIX}drain:{owner}"


def released(environment: str) -> str:
    """What was released to an environment, newest first."""
    return f"{PREFIX}released:{environment}"


def once(name: str) -> str:
    """What says that something was done lately."""
    return f"{PREFIX}once:{name}"


def built(key: str) -> str:
    """What was built out of one git tree with the same build arguments."""
    return f"{PREFIX}built:{key}"


def tested(repository_id: int, tree: str) -> str:
    """The verdict of the checks on one git tree."""
    return f"{PREFIX}tested:{repository_id}:{tree}"


def checked(repository_id: int, head: str) -> str:
    """The checks of one head, and the open pull requests that it is the head of."""
    return f"{PREFIX}checked:{repository_id}:{head}"


def waiting(place: str) -> str:
    """The run that waits for people at one place."""
    return f"{PREFIX}waiting:{place}"


def awaited(name: str) -> str:
    """The run that goes on when something of that name happens."""
    return f"{PREFIX}awaits:{name}"


def pause(name: str) -> str:
    """What says that somebody outside asked to be left alone."""
    return f"{PREFIX}pause:{name}"


def published(home: str, function: str) -> str:
    """The versions of a function that Slipway published."""
    return f"{PREFIX}published:{home}/{function}"


def unpruned(environment: str) -> str:
    """The functions of an environment whose old versions could not be deleted, and why."""
    return f"{PREFIX}unpruned:{environment}"


def refused(repository_name: str) -> str:
    """The places that a repository wanted and that are another's."""
    return f"{PREFIX}refused:{repository_name.lower()}"


def granted(repository_name: str) -> str:
    """Who has let a repository take over what it is refused."""
    return f"{PREFIX}granted:{repository_name.lower()}"


def locked(environment: str) -> str:
    """Who has locked an environment, and why; it goes when the lock expires."""
    return f"{PREFIX}locked:{environment}"


def held(environment: str) -> str:
    """The runs that a lock holds back, by the place they wait at."""
    return f"{PREFIX}held:{environment}"


def look(environment: str) -> str:
    """When somebody asked for a look at an environment."""
    return f"{PREFIX}look:{environment}"


def order(key: str) -> str:
    """The run of an order, by what makes two orders the same."""
    return f"{PREFIX}order:{key}"


def event(task_id: str) -> str:
    """The name under which a run awaits the end of a task of SonarQube's."""
    return f"sonar:{task_id}"
