"""What may happen to the repository, as values: hypothesis draws them."""

from dataclasses import dataclass

from tests.model.world import World


@dataclass(frozen=True)
class Push:
    """A commit on a branch; its webhook comes now, or later, or never."""

    branch: str
    code: str
    told: bool

    def do(self, world: World) -> None:
        """Do it."""
        world.commit(self.branch, self.code)
        world.announce(self.branch, told=self.told)


@dataclass(frozen=True)
class Merge:
    """A merge with the files of its source, as that of a branch that is up to date."""

    source: str
    onto: str
    told: bool
    by_pull_request: bool

    def do(self, world: World) -> None:
        """Do it, unless it is merged already."""
        tip, base = world.heads[self.source], world.heads[self.onto]
        if tip not in world.ancestors(base):
            world.commit(self.onto, world.code[tip], [base, tip])
            world.announce(self.onto, told=self.told, merged=self.by_pull_request)


@dataclass(frozen=True)
class FastForward:
    """A branch moves on to a commit that another has: one commit in two environments."""

    source: str
    onto: str
    told: bool

    def do(self, world: World) -> None:
        """Do it, where it is one."""
        tip, base = world.heads[self.source], world.heads[self.onto]
        if tip != base and base in world.ancestors(tip):
            world.point(self.onto, tip)
            world.announce(self.onto, told=self.told)


@dataclass(frozen=True)
class ForcePush:
    """A branch goes back to an earlier commit, or to a new one after that."""

    branch: str
    back_to: int
    code: str
    fresh: bool
    told: bool

    def do(self, world: World) -> None:
        """Do it."""
        # In the order of their making: a commit's id is not the same each time.
        history = [one for one in world.code if one in world.ancestors(world.heads[self.branch])]
        earlier = history[self.back_to % len(history)]
        if self.fresh:
            world.commit(self.branch, self.code, [earlier])
        else:
            world.point(self.branch, earlier)
        world.announce(self.branch, told=self.told)


@dataclass(frozen=True)
class Deliver:
    """A webhook that is late, or comes once more, perhaps under another number."""

    pick: int
    anew: bool

    def do(self, world: World) -> None:
        """Do it, if there is any."""
        if world.post:
            world.parts.counts["delivered late or again"] += 1
            world.deliver(self.pick % len(world.post), anew=self.anew)
