"""The machine that hypothesis drives: pushes, merges, force-pushes, people, kills and accidents."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.model import actions
from tests.model.promises import Promises
from tests.model.world import BRANCHES, Parts, World

BRANCH = st.sampled_from(sorted(BRANCHES))
CODE = st.sampled_from("01234")
PICK = st.integers(0, 20)
SMALL = st.integers(0, 8)
YES = st.booleans()
OFTEN = st.sampled_from([True, True, True, False])
RARELY = st.sampled_from([False, False, False, False, True])
CHANGES = (
    st.builds(actions.Push, BRANCH, CODE, OFTEN),
    st.builds(actions.Push, BRANCH, CODE, OFTEN),
    st.builds(actions.Merge, BRANCH, BRANCH, OFTEN, YES),
    st.builds(actions.FastForward, BRANCH, BRANCH, OFTEN),
    st.builds(actions.ForcePush, BRANCH, PICK, CODE, YES, OFTEN),
    st.builds(actions.Deliver, PICK, YES),
)
FAULT = st.sampled_from(sorted(actions.FAULTS))
# A visit from beginning to end has some 8 effects, 35 calls of AWS, 90 words with the ledger.
WORK = (
    st.builds(actions.Work, PICK),
    st.builds(actions.Work, PICK),
    st.builds(actions.WorkWithFault, PICK, FAULT, SMALL, st.just(True), st.integers(1, 4), RARELY),
    st.builds(
        actions.WorkWithFault, PICK, FAULT, st.integers(0, 35), YES, st.integers(1, 2), RARELY
    ),
    st.builds(actions.Kill, PICK, st.just("effect"), SMALL, YES),
    st.builds(actions.Kill, PICK, st.just("aws"), st.integers(0, 35), YES),
    st.builds(actions.Kill, PICK, st.just("ledger"), st.integers(2, 90), YES),
)
PEOPLE = (
    st.builds(actions.Say, PICK, st.just("approve")),
    st.builds(actions.Say, PICK, st.sampled_from(["approve", "reject"])),
    st.builds(actions.NobodyAnswers, PICK) | st.builds(actions.Retry, PICK),
    st.builds(actions.Cancel, PICK),
    st.builds(actions.ByHand, PICK, PICK, RARELY, st.none() | PICK),
)


class Machine(RuleBasedStateMachine):
    """One world, and the promises asked after every step.

    There is one rule, so that hypothesis does not leave most of them out for a whole story, as it
    likes to; and it has no precondition, for what a kill leaves behind is not the same each time.
    """

    parts: Parts

    @initialize()
    def begin(self) -> None:
        """A repository whose three branches are at one commit."""
        self.parts.counts["cases"] += 1
        self.world = World(self.parts)
        self.promises = Promises(self.world)

    @rule(action=st.one_of(*CHANGES, *WORK, *WORK, *PEOPLE))
    def step(self, action: actions.Action) -> None:
        """Something happens."""
        self.parts.counts["steps"] += 1
        try:
            action.do(self.world)
            self.promises.check()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.world.story()}") from error

    def teardown(self) -> None:
        """Things calm down."""
        if not hasattr(self, "world"):
            return
        try:
            self.world.drain(self.promises.check)
            self.promises.check_all()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.world.story()}") from error
