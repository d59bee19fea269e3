"""Argo CD's applications, as far as they say who may do what."""

import msgspec


class Application(msgspec.Struct, frozen=True, gc=False):
    """An application that owns a rollout.

    Its text form is the object of Argo CD's policies.

    Attributes:
        namespace: "" for one in Argo CD's own namespace.
    """

    project: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        if self.namespace:
            return f"{self.project}/{self.namespace}/{self.name}"
        return f"{self.project}/{self.name}"
