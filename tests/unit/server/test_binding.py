import errno
import socket
from collections.abc import Iterator

import pytest

from rollgraph.core.errors import ConfigError
from rollgraph.server.binding import PortTakenError, addresses, listen, url
from rollgraph.server.settings import Http, Settings


def at(host: str) -> Settings:
    return Settings(http=Http(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_may_be_listened_on(host: str) -> None:
    assert addresses(at(host)) == [host]


def test_a_name_stands_for_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "127.0.0.1", "::1", "127.0.0.1")
    assert addresses(at("localhost")) == ["127.0.0.1", "::1"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "192.168.1.1", "fe80::1"])
def test_others_are_refused_while_nobody_logs_in(host: str) -> None:
    with pytest.raises(ConfigError, match="can be reached from other machines"):
        addresses(at(host))


def test_a_name_with_one_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "127.0.0.1", "10.0.0.1")
    with pytest.raises(ConfigError, match=r"\(--host\): my-host \(10\.0\.0\.1\) can be reached"):
        addresses(at("my-host"))


def resolves(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)


@pytest.mark.parametrize("host", ["rollgraph.invalid", "a" * 64, "[::1]", "a b", "..", "-"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match=r"--host.*is no address of this machine"):
        addresses(at(host))


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


def test_a_free_port_is_found() -> None:
    (bound,) = listen(["127.0.0.1"], 0)
    with bound:
        assert url(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_all_addresses_get_the_same_port() -> None:
    first, second = listen(["127.0.0.1", "127.0.0.2"], 0)
    with first, second:
        assert first.getsockname()[1] == second.getsockname()[1]


def test_a_taken_port_is_explained(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(PortTakenError) as caught:
        listen(["127.0.0.1"], port)
    assert str(caught.value) == (
        f"port {port} of 127.0.0.1 is in use by another process: stop it, or choose another with"
        " --port or ROLLGRAPH_HTTP__PORT; 0 takes any free one"
    )


def test_nothing_stays_bound_when_one_address_fails(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(PortTakenError):
        listen(["127.0.0.2", "127.0.0.1"], port)
    (again,) = listen(["127.0.0.2"], port)
    again.close()


def test_a_forbidden_port_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(PortTakenError, match=r"port 80 of 127\.0\.0\.1 may not be used"):
        listen(["127.0.0.1"], 80)


def test_an_address_of_another_machine_is_explained() -> None:
    with pytest.raises(PortTakenError, match=r"cannot listen on 192\.0\.2\.1 port 0: "):
        listen(["192.0.2.1"], 0)


def test_a_url_of_ipv6_has_brackets() -> None:
    try:
        (bound,) = listen(["::1"], 0)
    except PortTakenError:
        pytest.skip("this machine has no IPv6")
    with bound:
        assert url(bound).startswith("http://[::1]:")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone has it")
def test_a_connection_to_a_machine_that_is_gone_is_kept_for_a_minute() -> None:
    (bound,) = listen(["127.0.0.1"], 0)
    with bound, socket.create_connection(bound.getsockname()[:2]):
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
