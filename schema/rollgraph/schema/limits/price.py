"""What an operation takes of its caller's budget."""

import msgspec
from graphql import OperationDefinitionNode, OperationType

from rollgraph.core.budgets import Balance
from rollgraph.schema.limits.measure import Measure

# The usual introspection query has 63,000, and takes as long as objects of some 6,000.
INTROSPECTION_PER_POINT = 10


class Price(msgspec.Struct, frozen=True):
    """What an operation takes.

    Attributes:
        cost: What it was measured to cost at most.
        objects: Objects that its answer can have; the rest of the cost is for work.
        points: What is taken for it; at least 1, since answering alone is work, too.
        acts: Whether it is a mutation, for which there is a budget of its own.
    """

    cost: int
    objects: int
    points: int
    acts: bool = False

    @property
    def dry(self) -> bool:
        """Whether the operation is only measured."""
        return self.points < self.cost

    def actual(self, objects: int) -> int:
        """What it cost in the end, with so many objects in its answer."""
        return min(self.cost, self.cost - self.objects + objects)


class Paid(msgspec.Struct, frozen=True):
    """What was taken.

    Attributes:
        price: For what.
        balance: What is left; None where there is no limit.
    """

    price: Price
    balance: Balance | None = None

    def unused(self, objects: int) -> int:
        """Points that were taken for more than an answer with so many objects is worth.

        What costs more than there ever is takes all there is, and not more. Actions have been
        carried out, whatever is answered of them.
        """
        price, balance = self.price, self.balance
        if balance is None or price.acts:
            return 0
        worth = price.points - price.cost + price.actual(objects)
        return max(0, min(price.points, balance.limit) - max(worth, 1))


# What is taken for an operation that is refused for what it says. To find out what is wrong with
# one of a few fields takes 1.4 ms, mostly GraphQL's rules; with the longest, 80.
REFUSED = Price(cost=0, objects=0, points=200)
# And for one whose document nobody knows by what it was asked for: clients ask so first as a rule.
UNKNOWN = Price(cost=0, objects=0, points=1)


def price_of(operation: OperationDefinitionNode, measure: Measure, *, executed: bool) -> Price:
    """The price of an operation; of one that is only measured it is the least that there is."""
    points = measure.cost + measure.introspection // INTROSPECTION_PER_POINT
    return Price(
        measure.cost,
        measure.objects,
        max(points, 1) if executed else 1,
        operation.operation is OperationType.MUTATION,
    )
