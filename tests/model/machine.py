"""The machine that hypothesis drives: what may happen, and how often, and what must hold."""

from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.model import accidents, changes, gradual, operators, people, sleep
from tests.model.parts import BRANCHES, Parts
from tests.model.promises import Promises
from tests.model.world import World


class Action(Protocol):
    """Something that may happen next."""

    def do(self, world: World) -> None:
        """Have it happen."""


BRANCH = st.sampled_from(sorted(BRANCHES))
CODE = st.sampled_from("01234")
PICK = st.integers(0, 20)
SMALL = st.integers(0, 8)
YES = st.booleans()
OFTEN = st.sampled_from([True, True, True, False])
RARELY = st.sampled_from([False, False, False, False, True])
CHANGES = (
    st.builds(changes.Push, BRANCH, CODE, OFTEN),
    st.builds(changes.Push, BRANCH, CODE, OFTEN),
    st.builds(changes.Merge, BRANCH, BRANCH, OFTEN, YES),
    st.builds(changes.FastForward, BRANCH, BRANCH, OFTEN),
    st.builds(changes.ForcePush, BRANCH, PICK, CODE, YES, OFTEN),
    st.builds(changes.Deliver, PICK, YES),
)
FAULT = st.sampled_from(sorted(accidents.FAULTS))
# A visit from beginning to end has some 8 effects, 35 calls of AWS, 90 words with the ledger.
WORK = (
    st.builds(accidents.Work, PICK),
    st.builds(accidents.Work, PICK),
    st.builds(
        accidents.WorkWithFault, PICK, FAULT, SMALL, st.just(True), st.integers(1, 4), RARELY
    ),
    st.builds(
        accidents.WorkWithFault, PICK, FAULT, st.integers(0, 35), YES, st.integers(1, 2), RARELY
    ),
    st.builds(accidents.Kill, PICK, st.just("effect"), SMALL, YES),
    st.builds(accidents.Kill, PICK, st.just("aws"), st.integers(0, 35), YES),
    st.builds(accidents.Kill, PICK, st.just("ledger"), st.integers(2, 90), YES),
)
PEOPLE = (
    st.builds(people.Say, PICK, st.just("approve")),
    st.builds(people.Say, PICK, st.sampled_from(["approve", "reject"])),
    st.builds(people.NobodyAnswers, PICK) | st.builds(people.Retry, PICK),
    st.builds(people.Cancel, PICK),
    st.builds(accidents.ByHand, PICK, PICK, RARELY, st.none() | PICK),
)
ENVIRONMENT = st.sampled_from(sorted(BRANCHES.values()))
WHO = st.sampled_from([operators.MAY] * 5 + [operators.NOBODY])
LATER = st.none() | st.integers(-1, 2)
OPERATORS = (
    st.builds(operators.Rollback, ENVIRONMENT, WHO, st.none(), RARELY, OFTEN, LATER),
    st.builds(operators.Rollback, ENVIRONMENT, WHO, PICK, RARELY, OFTEN, LATER),
    st.builds(operators.Lock, ENVIRONMENT, WHO, YES),
    st.builds(operators.Unlock, ENVIRONMENT, WHO, OFTEN, OFTEN),
)
MEANWHILE = st.sampled_from(sorted(sleep.MEANWHILE))
ASLEEP = (
    st.builds(sleep.Sleep, PICK, st.just("effect"), SMALL, YES, YES, MEANWHILE, YES),
    st.builds(sleep.Sleep, PICK, st.just("move"), st.integers(0, 1), YES, YES, MEANWHILE, OFTEN),
    st.builds(sleep.Sleep, PICK, st.just("aws"), st.integers(0, 35), YES, YES, MEANWHILE, YES),
    st.builds(sleep.Sleep, PICK, st.just("ledger"), st.integers(2, 90), YES, YES, MEANWHILE, YES),
    st.builds(sleep.Wake),
)
AMID = st.sampled_from(sorted(gradual.AMID))
TIME = (
    st.builds(gradual.Gradual, st.integers(0, 3), AMID),
    st.builds(gradual.TimePasses, YES),
    st.builds(gradual.Alarm, YES),
)
# Drawn in two steps: hypothesis takes a strategy that is named twice for one.
GROUPS = (CHANGES, WORK, WORK, PEOPLE, OPERATORS, ASLEEP, TIME)
ACTION: st.SearchStrategy[Action] = st.sampled_from(GROUPS).flatmap(lambda group: st.one_of(*group))


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

    @rule(action=ACTION)
    def step(self, action: Action) -> None:
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
            self.world.drain()
            self.promises.check_all()
            # What is late arrives when all is over, too.
            self.world.wake()
            self.promises.check_all()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.world.story()}") from error
        finally:
            self.world.close()
