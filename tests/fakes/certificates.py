"""Certificates for one test run, made by the openssl program."""

import subprocess
from pathlib import Path

import msgspec


class Certificates(msgspec.Struct, frozen=True):
    """PEM of a CA, and of a server's and a client's certificate and key that it signed."""

    ca: bytes
    server_cert: bytes
    server_key: bytes
    client_cert: bytes
    client_key: bytes


def make_certificates(folder: Path, *, server_names: str) -> Certificates:
    """Makes them.

    Args:
        folder: Where the files may go.
        server_names: The server's names, as openssl wants them: `DNS:a,IP:127.0.0.1`.
    """
    _run(folder, *_new("ca"), "-subj", "/CN=ca", "-addext", "basicConstraints=critical,CA:TRUE")
    for who, names in (("server", server_names), ("client", "DNS:client")):
        signed_by = ("-CA", "ca.crt", "-CAkey", "ca.key")
        _run(
            folder,
            *_new(who),
            *signed_by,
            "-subj",
            f"/CN={who}",
            "-addext",
            f"subjectAltName={names}",
        )
    read = {name: (folder / name).read_bytes() for name in ("ca.crt", *_PAIRS)}
    return Certificates(read["ca.crt"], *(read[name] for name in _PAIRS))


_PAIRS = ("server.crt", "server.key", "client.crt", "client.key")


def _new(who: str) -> tuple[str, ...]:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    return ("req", "-x509", *curve, "-keyout", f"{who}.key", "-out", f"{who}.crt")


def _run(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
