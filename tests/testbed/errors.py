"""What can go wrong in the testbed; every message says what, where and what to do."""


class TestbedError(Exception):
    """The root: catch it to report any failure of the testbed itself."""

    __test__ = False  # the name starts with Test, but it is not a pytest class


class ToolchainError(TestbedError):
    """No Go toolchain that is new enough."""


class BuildError(TestbedError):
    """A part of the control plane did not build."""


class ProcessError(TestbedError):
    """A part of the control plane did not start, or died while it was needed."""


class NotReachedError(TestbedError):
    """A condition did not come true before its deadline."""


class ApiError(TestbedError):
    """The API server refused a request: ``status`` is HTTP's, ``reason`` Kubernetes' own word."""

    def __init__(self, what: str, status: int, reason: str, message: str) -> None:
        super().__init__(f"{what}: {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class PluginOutputError(TestbedError):
    """The kubectl plugin printed something that the parser does not understand."""
