"""What has to be so before an operation is executed, whichever way it came."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from strawberry.types.graphql import OperationType

from rollgraph.core.viewer import Viewer
from rollgraph.schema.limits.price import REFUSED, UNKNOWN, Paid, Price
from rollgraph.server.documents.persisted import UNKNOWN_CODES, Persisted
from rollgraph.server.failures import OperationRefusedError
from rollgraph.server.operation import Operation
from rollgraph.server.rates import Rates


class Priced(Protocol):
    """A schema, as far as it tells what operations do and take."""

    def kind(self, query: str, operation_name: str | None) -> OperationType | None:
        """See `Schema.kind`."""
        ...

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
        documents: Finds documents that are not sent; by default it knows none.
    """

    def __init__(self, schema: Priced, rates: Rates, documents: Persisted | None = None) -> None:
        self._schema = schema
        self._rates = rates
        self._documents = documents or Persisted(None)

    @property
    def version(self) -> int:
        """Changes when the same request may ask for another document."""
        return self._documents.version

    def acts(self, operation: Operation) -> bool:
        """Whether it is a mutation."""
        return self._schema.kind(operation.query, operation.name) is OperationType.MUTATION

    async def document(self, operation: Operation, viewer: Viewer) -> Operation:
        """The operation with the text of its document, which is "" if none is asked for.

        Raises `OperationRefusedError` if that is not known, or may not be asked for.
        """
        try:
            text = await self._documents.text(operation)
        except OperationRefusedError as error:
            unknown = error.extensions["code"] in UNKNOWN_CODES
            price = UNKNOWN if unknown else REFUSED
            await self._rates.charge(viewer, operation.address, price)
            raise
        return operation._replace(query=text)

    async def admit(self, operation: Operation, viewer: Viewer) -> Admitted:
        """Takes what an operation costs.

        One that will be refused for what it says takes what finding that out does. Raises
        `OperationRefusedError`.
        """
        price = self._schema.price(operation.query, operation.name, operation.variables or {})
        if price is None:
            return Admitted(operation, await self.refuse(operation, viewer))
        paid = await self._rates.charge(viewer, operation.address, price)
        await self._documents.remember(operation)
        return Admitted(operation, paid)

    async def refuse(self, operation: Operation, viewer: Viewer) -> Paid:
        """Takes what an operation costs that will be refused for what it says, or has been.

        Raises `OperationRefusedError` if there are not as many points.
        """
        return await self._rates.charge(viewer, operation.address, REFUSED)

    def settle(self, viewer: Viewer, address: str, paid: Paid, objects: int) -> None:
        """See `Rates.settle`."""
        self._rates.settle(viewer, address, paid, objects)
