"""The audits of GraphQL over HTTP, by npm's graphql-http."""

from conformance.suite import Suites


def test_every_audit_passes(suites: Suites, gateway: str) -> None:
    audits = suites.ask("audits.mjs", gateway)
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
