"""Where settings come from: flags, then the environment, then a file, then the defaults.

Every value is kept with its origin until it is checked, so that a complaint can name the flag, the
variable or the line's key that is to be changed. (pydantic-settings merges first and checks then:
it knows that a port is wrong, not where it was written.)
"""

import reprlib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rollgraph.core.errors import ConfigError
from rollgraph.server.settings import ENV_PREFIX, ENV_SEPARATOR, Settings, every, groups


class Given(msgspec.Struct, frozen=True):
    """A value somebody set, and where."""

    value: object
    origin: str


Layer = dict[str, Given]


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], file: Path | None = None
) -> Settings:
    """Reads and checks the settings.

    Args:
        flags: Values by path, such as `http.port`; None where the flag was not given.
        environ: The process's environment.
        file: A YAML file.

    Raises `ConfigError` with a line for each problem.
    """
    problems: list[str] = []
    layers = (_from_flags(flags), _from_environ(environ, problems), _from_file(file, problems))
    given: Layer = {}
    for layer in reversed(layers):
        given |= layer
    try:
        settings = Settings.model_validate(_tree(given))
    except ValidationError as error:
        problems += [_complaint(detail, given) for detail in error.errors()]
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


def _from_flags(flags: Mapping[str, object]) -> Layer:
    return {
        setting.path: Given(flags[setting.path], setting.flag)
        for setting in every()
        if flags.get(setting.path) is not None
    }


def _from_environ(environ: Mapping[str, str], problems: list[str]) -> Layer:
    known = {setting.env: setting for setting in every()}
    # Other names with our prefix are not ours: Kubernetes invents some for each Service.
    ours = [name for name in environ if name.startswith(ENV_PREFIX) and ENV_SEPARATOR in name]
    problems += [
        f"{name}: no such setting{_meant(name, known)}" for name in ours if name not in known
    ]
    return {
        setting.path: Given(environ[name], name)
        for name, setting in known.items()
        if environ.get(name)
    }


def _from_file(file: Path | None, problems: list[str]) -> Layer:
    if file is None:
        return {}
    try:
        return _flat(_yaml(file), str(file), problems)
    except ConfigError as error:
        problems.append(f"{file}: {error}")
        return {}


def _yaml(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}; --config wants the path of a YAML file"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError("cannot be read: not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{where}not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {' '.join(str(error).split())}") from error


def _flat(content: object, file: str, problems: list[str]) -> Layer:
    """The values of a file by path; what is no setting becomes a problem."""
    layer: Layer = {}
    known = {setting.path for setting in every()}
    for group, values in _mapping(content, "the file", file, problems):
        if group not in groups():
            problems.append(f"{file}: {group}: no such group{_meant(group, groups())}")
            continue
        for key, value in _mapping(values, group, file, problems):
            path = f"{group}.{key}"
            if path in known:
                layer[path] = Given(value, file)
            else:
                near = {other for other in known if other.startswith(f"{group}.")}
                problems.append(f"{file}: {path}: no such setting{_meant(path, near)}")
    return layer


def _mapping(
    value: object, what: str, file: str, problems: list[str]
) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((str(key), item) for key, item in value.items())
    elif value is not None:  # an empty file, or a group with all keys commented out
        problems.append(
            f"{file}: {what}: expected keys with values, as in `http:` with `port: 8000` below it; "
            f"got {_shown(value)}"
        )


def _meant(name: str, known: Mapping[str, Any] | set[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"


def _tree(given: Layer) -> dict[str, dict[str, object]]:
    tree: dict[str, dict[str, object]] = {}
    for path, item in given.items():
        group, _, key = path.partition(".")
        tree.setdefault(group, {})[key] = item.value
    return tree


def _complaint(detail: ErrorDetails, given: Layer) -> str:
    """One line: where, which key, what was expected, what was there."""
    path = ".".join(str(part) for part in detail["loc"][:2])
    wrong = given[path]
    # Only issuers are mappings in a list: which of them, and which of its keys.
    deeper = "".join(f".{part}" for part in detail["loc"][2:]) if len(detail["loc"]) > 3 else ""
    return f"{wrong.origin}: {path}{deeper}: {_expected(detail)}; got {_shown(wrong.value)}"


def _expected(detail: ErrorDetails) -> str:
    """pydantic's sentence in our form: "expected …"."""
    if detail["type"].startswith("bool"):
        return "expected true or false"
    message = detail["msg"].removeprefix("Value error, ")
    for start in ("Input should be ", "String should have "):
        message = message.removeprefix(start)
    if message.startswith(("less than", "greater than")):
        message = f"a number {message}"
    return f"expected {message[0].lower()}{message[1:]}"


def _shown(value: object) -> str:
    return reprlib.repr(value)
