"""The Dockerfile, read: what its stages run, and how the last one starts."""

import io
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]


@dataclass
class Stage:
    """One stage of the build.

    Attributes:
        runs: Its RUN commands, in order.
        env: What its ENV says.
        last: The last value of each other instruction.
    """

    name: str
    runs: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)

    def words(self, instruction: str) -> list[str]:
        """The words of ENTRYPOINT, CMD or HEALTHCHECK, which are a list in JSON."""
        value = self.last[instruction]
        words: list[str] = json.loads(value[value.index("[") :])
        return words


def stages() -> list[Stage]:
    """The stages of the Dockerfile, in order."""
    # Given a path, it would open the file to write it.
    content = io.BytesIO((ROOT / "Dockerfile").read_bytes())
    found: list[Stage] = []
    for step in DockerfileParser(fileobj=content).structure:
        instruction, value = step["instruction"], step["value"]
        if instruction == "FROM":
            found.append(Stage(value.rpartition(" AS ")[2]))
        elif instruction == "RUN":
            found[-1].runs.append(value)
        elif instruction == "ENV":
            found[-1].env |= dict(pair.split("=", 1) for pair in shlex.split(value))
        elif found:
            found[-1].last[instruction] = value
    return found


def context() -> list[str]:
    """The paths that the build may see, as .dockerignore lets them through."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines, "it names what goes in, not what stays out"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]
