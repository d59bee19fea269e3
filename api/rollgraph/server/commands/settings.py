"""Settings on the command line: a flag for each."""

import argparse
import os
from pathlib import Path
from typing import Any, TypeAlias

from rollgraph.server import sources
from rollgraph.server.settings import Setting, Settings, every, groups

# What subcommands are added to.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def take_settings(command: argparse.ArgumentParser) -> None:
    """Lets a command be given any setting, by flags or in a file."""
    command.add_argument("--config", metavar="FILE", help="a YAML file of settings")
    titled = {
        name: command.add_argument_group(name, (group.__doc__ or "").partition("\n")[0])
        for name, group in groups().items()
    }
    for setting in every():
        shape: dict[str, Any] = {"metavar": setting.value}
        if setting.switch:
            shape = {"action": argparse.BooleanOptionalAction, "default": None}
        elif setting.many:
            shape["action"] = "append"
        titled[setting.group].add_argument(
            setting.flag, dest=setting.path, help=described(setting), **shape
        )


def described(setting: Setting) -> str:
    """What a help text says of a setting."""
    again = " May be given several times." if setting.many else ""
    default = "" if setting.many else f" (default: {setting.default})"
    # argparse formats the text with %.
    text = f"{setting.field.description}{again}{default} [{setting.env}]"
    return text.replace("`", "").replace("%", "%%")


def settings(arguments: argparse.Namespace) -> Settings:
    """What was set; raises `ConfigError`."""
    file = None if arguments.config is None else Path(arguments.config)
    return sources.load(vars(arguments), os.environ, file)
