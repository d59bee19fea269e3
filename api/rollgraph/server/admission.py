"""What has to be so before an operation is executed, whichever way it came."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from rollgraph.core.viewer import Viewer
from rollgraph.schema.limits.price import Paid, Price
from rollgraph.server.operation import Operation
from rollgraph.server.rates import Rates


class Priced(Protocol):
    """A schema, as far as it tells prices."""

    def price(
        self, query: str, operation_name: str | None, variables: Mapping[str, Any]
    ) -> Price | None:
        """See `Schema.price`."""
        ...


class Admitted(NamedTuple):
    """An operation that may be executed.

    Attributes:
        paid: What was taken of its caller's budget; None where nobody counts.
    """

    operation: Operation
    paid: Paid | None = None


class Admission:
    """Lets operations in.

    Args:
        schema: What is asked.
        rates: What callers may spend.
    """

    def __init__(self, schema: Priced, rates: Rates) -> None:
        self._schema = schema
        self._rates = rates

    async def admit(self, operation: Operation, viewer: Viewer) -> Admitted:
        """Takes what an operation costs.

        One that will be refused for what it says costs nothing. Raises `OperationRefusedError`.
        """
        price = self._schema.price(operation.query, operation.name, operation.variables or {})
        if price is None:
            return Admitted(operation)
        return Admitted(operation, await self._rates.charge(viewer, operation.address, price))

    def settle(self, viewer: Viewer, address: str, paid: Paid, objects: int) -> None:
        """See `Rates.settle`."""
        self._rates.settle(viewer, address, paid, objects)
