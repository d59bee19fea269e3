"""Settings from flags, environment and file."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from rollgraph.core.errors import ConfigError
from rollgraph.server.settings import LogLevel, Settings, every
from rollgraph.server.sources import load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rollgraph.yaml"


def problems(
    flags: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
    file: Path | None = None,
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(flags or {}, environ or {}, file)
    return str(caught.value).splitlines()


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}, {}) == Settings()


def test_each_setting_can_be_set_in_each_place(file: Path) -> None:
    values: dict[str, object] = {
        "http.host": "::1",
        "http.port": 1,
        "http.shutdown_grace": 1.5,
        "http.ready_within": 2.5,
        "http.stuck_after": 3.5,
        "http.url": "https://rollgraph.example.com",
        "http.join_traces": True,
        "http.graphiql": False,
        "spokes.kubeconfig": ["/a", "/b"],
        "spokes.contexts": ["c", "d"],
        "spokes.namespaces": ["e", "f"],
        "spokes.exec_allow": ["g", "h"],
        "spokes.stale_after": 11.5,
        "acting.identity": "passthrough",
        "acting.user_prefix": "y:",
        "acting.group_prefix": "z:",
        "argocd.namespace": "argocd",
        "argocd.context": "hub",
        "argocd.application_namespaces": ["team-a", "team-b"],
        "limits.body": 1,
        "limits.timeout": 1.5,
        "limits.action_timeout": 31.5,
        "limits.tokens": 2,
        "limits.depth": 3,
        "limits.aliases": 4,
        "limits.root_fields": 5,
        "limits.directives": 6,
        "limits.cost": 7,
        "limits.introspection": False,
        "rates.points": 8,
        "rates.action_points": 9,
        "documents.persist": False,
        "documents.most": 10,
        "documents.files": ["/ll", "/mm"],
        "documents.only": "report",
        "streams.init_timeout": 2.5,
        "streams.heartbeat": 3.5,
        "streams.patience": 4.5,
        "streams.per_connection": 5,
        "streams.per_viewer": 6,
        "streams.most": 7,
        "auth.mode": "none",
        "auth.issuers": ["{issuer: https://more.example.com, audiences: [i]}"],
        "auth.session_idle": 61.5,
        "auth.session_lifetime": 62.5,
        "auth.session_secret_file": "/nn",
        "auth.service_accounts": "hub",
        "auth.service_account_audiences": ["j", "k"],
        "oidc.issuer": "https://idp.example.com",
        "oidc.profile": "rfc9068",
        "oidc.audiences": ["l", "m"],
        "oidc.required_claims": ["hd=example.com", "n=o"],
        "oidc.username_claim": "email",
        "oidc.username_prefix": "p:",
        "oidc.groups_claims": ["q", "realm_access.roles"],
        "oidc.groups_prefix": "r:",
        "oidc.scopes_claim": "scp",
        "oidc.client_id": "s",
        "oidc.client_secret_file": "/t",
        "oidc.cli_client_id": "u",
        "oidc.scopes": ["openid", "v"],
        "oidc.resource": "https://rollgraph.example.com",
        "oidc.ca_file": "/w",
        "oidc.ca": "-----BEGIN CERTIFICATE-----",
        "policy.files": ["/aa", "/bb"],
        "policy.default_role": "role:readonly",
        "policy.match_mode": "regex",
        "redis.url": "rediss://cc:1",
        "redis.password_file": "/dd",
        "redis.ca_file": "/ee",
        "redis.cert_file": "/oo",
        "redis.key_file": "/pp",
        "redis.prefix": "ff",
        "workers.name": "gg",
        "workers.pins": ["hh=ii", "jj=kk"],
        "log.level": "debug",
        "log.format": "json",
        "audit.file": "/x",
        "audit.rows": 20,
        "audit.events": False,
        "metrics.port": 12,
    }
    assert set(values) == {setting.path for setting in every()}
    by_flag = load({p: v if isinstance(v, list) else str(v) for p, v in values.items()}, {})
    separator = {"spokes.kubeconfig": ":", "policy.files": ":", "documents.files": ":"}
    by_env = load(
        {},
        {
            setting.env: separator.get(setting.path, ",").join(value)
            if isinstance(value := values[setting.path], list)
            else str(value)
            for setting in every()
        },
    )
    lines = (f"{path.replace('.', ': {')}: {value!r}}}" for path, value in values.items())
    by_file = [load({}, {}, _written(file, line)) for line in lines]
    assert by_flag == by_env
    for path, settings in zip(values, by_file, strict=True):
        assert _get(settings, path) == _get(by_flag, path)
        if path != "auth.mode":
            assert settings != Settings()


def _written(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def _get(settings: Settings, path: str) -> object:
    group, _, key = path.partition(".")
    return getattr(getattr(settings, group), key)


def test_a_flag_goes_before_a_variable_before_the_file(file: Path) -> None:
    _written(file, "http: {port: 1, host: '::1'}\nlog: {level: error}")
    environ = {"ROLLGRAPH_HTTP__PORT": "2", "ROLLGRAPH_HTTP__HOST": "localhost"}
    settings = load({"http.port": "3"}, environ, file)
    assert settings.http.port == 3
    assert settings.http.host == "localhost"
    assert settings.log.level is LogLevel.ERROR


def test_an_empty_variable_is_not_set() -> None:
    assert load({}, {"ROLLGRAPH_HTTP__PORT": ""}) == Settings()


def test_home_is_expanded() -> None:
    (path,) = load({}, {"ROLLGRAPH_SPOKES__KUBECONFIG": "~/config"}).spokes.kubeconfig
    assert path == Path.home() / "config"


def test_what_kubernetes_puts_into_the_environment_is_no_mistake() -> None:
    services = {
        "ROLLGRAPH_PORT": "tcp://10.0.0.1:8000",
        "ROLLGRAPH_HTTP_PORT": "tcp://10.0.0.1:8000",
        "ROLLGRAPH_HTTP_SERVICE_HOST": "10.0.0.1",
    }
    assert load({}, services) == Settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().http.port = 1


def test_says_where_a_wrong_value_was_written(file: Path) -> None:
    _written(file, "spokes:\n  stale_after: soon\n")
    assert problems(
        {"http.port": "99999"}, {"ROLLGRAPH_LOG__LEVEL": "loud", "ROLLGRAPH_HTTP__PORT": "x"}, file
    ) == [
        "--port: http.port: expected a number less than or equal to 65535; got '99999'",
        f"{file}: spokes.stale_after: expected a valid number, unable to parse string as a number;"
        " got 'soon'",
        "ROLLGRAPH_LOG__LEVEL: log.level: expected 'debug', 'info', 'warning' or 'error';"
        " got 'loud'",
    ]


def test_a_switch_is_on_or_off() -> None:
    for text, value in (("true", True), ("on", True), ("False", False), ("0", False)):
        settings = load({}, {"ROLLGRAPH_HTTP__GRAPHIQL": text})
        assert settings.http.graphiql is value
    assert problems({}, {"ROLLGRAPH_HTTP__GRAPHIQL": "maybe"}) == [
        "ROLLGRAPH_HTTP__GRAPHIQL: http.graphiql: expected true or false; got 'maybe'"
    ]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "9.9"])
def test_seconds_are_a_number_within_bounds(value: str) -> None:
    (problem,) = problems({"spokes.stale_after": value})
    assert problem.startswith("--stale-after: spokes.stale_after: expected a ")


def test_says_what_an_unknown_name_may_have_meant(file: Path) -> None:
    _written(file, "http:\n  prot: 1\nspoks: {}\nlog:\n  zzzzzz: 1\n")
    assert problems({}, {"ROLLGRAPH_HTTP__PROT": "1"}, file) == [
        "ROLLGRAPH_HTTP__PROT: no such setting; did you mean ROLLGRAPH_HTTP__PORT?",
        f"{file}: http.prot: no such setting; did you mean http.port?",
        f"{file}: spoks: no such group; did you mean spokes?",
        f"{file}: log.zzzzzz: no such setting; there are log.format, log.level",
    ]


@pytest.mark.parametrize("content", ["", "# all commented out\n", "http:\n", "{}"])
def test_an_empty_file_is_fine(file: Path, content: str) -> None:
    assert load({}, {}, _written(file, content)) == Settings()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("- 1", ": the file: expected keys with values"),
        ("http: 8000", ": http: expected keys with values"),
        ("http: {", ": line 1, column 8: not YAML: "),
        ("http:\n\t- port", ": line 2, column 1: not YAML: "),
        ("a: \x01", ": not YAML: "),
    ],
)
def test_says_what_is_wrong_with_a_file(file: Path, content: str, problem: str) -> None:
    (found,) = problems({}, {}, _written(file, content))
    assert found.startswith(f"{file}{problem}")


def test_says_when_a_file_cannot_be_read(file: Path) -> None:
    assert problems({}, {}, file) == [
        f"{file}: cannot be read: No such file or directory; --config wants the path of a YAML file"
    ]
    file.write_bytes(b"\xff\xfe")
    assert problems({}, {}, file) == [f"{file}: cannot be read: not UTF-8 text"]


def test_a_long_value_is_shortened() -> None:
    (problem,) = problems({"http.port": "x" * 10_000})
    assert len(problem) < 200
