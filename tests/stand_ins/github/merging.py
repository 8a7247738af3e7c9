"""The three ways in which GitHub merges a pull request, as real commits."""

from tests.stand_ins.github.git import Git
from tests.stand_ins.github.model import PullRequest, StandInError


def merge(git: Git, pull: PullRequest, base: str, method: str) -> str:
    """Make the commit that a merge puts on the base; no ref is moved.

    Raises:
        StandInError: the method is unknown, or the branches conflict.
    """
    if method not in METHODS:
        raise StandInError(f"merge method {method!r}: expected one of {', '.join(METHODS)}")
    return METHODS[method](git, pull, base)


def merge_commit(git: Git, pull: PullRequest, base: str) -> str:
    """A commit with two parents."""
    owner = pull.head_repository.partition("/")[0]
    message = f"Merge pull request #{pull.number} from {owner}/{pull.head_branch}\n\n{pull.title}"
    return git.commit_tree(_tree(git, base, pull.head_sha), [base, pull.head_sha], message)


def squash(git: Git, pull: PullRequest, base: str) -> str:
    """All changes of the pull request in one commit on top of the base."""
    message = f"{pull.title} (#{pull.number})"
    return git.commit_tree(_tree(git, base, pull.head_sha), [base], message)


def rebase(git: Git, pull: PullRequest, base: str) -> str:
    """Each commit of the pull request once more, on top of the base."""
    listed = git.run("rev-list", "--reverse", "--no-merges", f"{base}..{pull.head_sha}")
    tip = base
    for commit in listed.split():
        # merge-tree before git 2.40 takes no merge base: a commit that has our tree and the
        # picked commit's parent makes that parent the base.
        ours = git.commit_tree(f"{tip}^{{tree}}", [f"{commit}^"], "ours")
        name, email, message = git.run("log", "-1", "--format=%an%x00%ae%x00%B", commit).split("\0")
        tip = git.commit_tree(_tree(git, ours, commit), [tip], message, (name, email))
    return tip


def _tree(git: Git, ours: str, theirs: str) -> str:
    tree = git.merged_tree(ours, theirs)
    if tree is None:
        raise StandInError("Pull Request is not mergeable: the branches conflict")
    return tree


METHODS = {"merge": merge_commit, "squash": squash, "rebase": rebase}
