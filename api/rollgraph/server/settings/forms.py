"""How a setting is declared and read, whatever it is about."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _split(separator: str) -> BeforeValidator:
    """Reads a list from one text, as it stands in an environment variable."""

    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part for item in value.split(separator) if (part := item.strip()))

    return BeforeValidator(split)


# A shell expands `~` in a flag, but nobody does in a file.
File = Annotated[Path, AfterValidator(Path.expanduser)]
# As kubectl reads $KUBECONFIG.
Files = Annotated[tuple[File, ...], _split(os.pathsep)]
Names = Annotated[tuple[str, ...], _split(",")]


def setting(default: object, description: str, *, flag: str, value: str, **limits: Any) -> Any:
    """A field that knows its flag and what to call its value in a help text."""
    return Field(
        default,
        description=description,
        json_schema_extra={"flag": flag, "value": value},
        **limits,
    )


class Group(BaseModel):
    """Settings of one topic."""

    # Defaults are checked too: a wrong one is our bug, and shows in the first test.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
