"""Whose turn it is: which of the jobs that wait go to the workers next."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits to be handed out.

    Attributes:
        id: the job's.
        tenant: whose it is.
        rank: 1 goes first.
        since: when it took its place; the earlier goes first.
    """

    id: str
    tenant: str
    rank: int
    since: float


@dataclass(frozen=True, slots=True)
class InHand:
    """A job that the workers were given.

    Attributes:
        tenant: whose it is.
        rank: as above.
        is_begun: whether a worker has begun it.
    """

    tenant: str
    rank: int
    is_begun: bool


def choose(
    waiting: Sequence[Waiting], in_hand: Sequence[InHand], workers: int, most_a_tenant: int
) -> list[Waiting]:
    """Return which jobs are handed out now, in their order.

    So many that each worker has one in work and one in reserve, and no more: what waits may still
    be passed. A job of a higher rank doesn't wait for a place that one of a lower rank has in the
    reserve. Of one rank, the tenant goes first that has the fewest in hand; of those, the job that
    waits longest.

    Args:
        waiting: to choose from; of each rank and tenant, those that wait longest are enough.
        in_hand: what the workers have already.
        workers: how many there are.
        most_a_tenant: that may be in hand at once; 0 is no bound.
    """
    begun = sum(one.is_begun for one in in_hand)
    reserve = Counter(one.rank for one in in_hand if not one.is_begun)
    load = Counter(one.tenant for one in in_hand)
    chosen: list[Waiting] = []
    for rank in sorted({one.rank for one in waiting}):
        left = [one for one in waiting if one.rank == rank]
        room = 2 * workers - begun - sum(n for other, n in reserve.items() if other <= rank)
        for _ in range(room):
            left = [one for one in left if not most_a_tenant or load[one.tenant] < most_a_tenant]
            if not left:
                break
            first = min(left, key=lambda one: (load[one.tenant], one.since, one.id))
            left.remove(first)
            chosen.append(first)
            load[first.tenant] += 1
            reserve[rank] += 1
    return chosen
