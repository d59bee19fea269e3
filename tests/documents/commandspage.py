"""The command line as a page of the site: each command with its arguments, from its grammar."""

import argparse
from collections.abc import Iterator

from rollgraph.server import cli

_HEAD = """# Command line

What each command does, and what it takes; `--help` behind any of them says the same.
"""
_SETTINGS = "Any [setting](settings.md), as a flag or, with `--config FILE`, from a YAML file.\n"


def markdown() -> str:
    """The whole page."""
    parser = cli.parser()
    return "\n".join([_HEAD, *_commands(parser, parser.prog)]) + "\n"


def _commands(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = {each.dest: each.help or "" for each in action._choices_actions}
            for word, command in action.choices.items():
                yield from _command(command, f"{name} {word}", words.get(word, ""))


def _command(command: argparse.ArgumentParser, name: str, words: str) -> Iterator[str]:
    if within := list(_commands(command, name)):
        yield from within
        return
    yield f"## {name}\n\n{command.description or words[:1].upper() + words[1:] + '.'}\n"
    arguments = [each for each in command._actions if each.dest not in ("help", "config")]
    ours = [each for each in arguments if "." not in each.dest]
    if len(arguments) - len(ours) > 1:
        yield _SETTINGS
    else:
        ours = arguments
    if ours:
        yield "| argument | |\n|---|---|"
        for argument in ours:
            yield f"| `{_form(argument)}` | {_text(argument)} |"
        yield ""


def _form(argument: argparse.Action) -> str:
    value = argument.metavar
    if value is None and argument.choices is not None:
        value = "|".join(map(str, argument.choices))
    shown = str(value or "")
    text = " ".join([*argument.option_strings, shown]) if argument.option_strings else shown
    return text.strip().replace("|", "\\|")


def _text(argument: argparse.Action) -> str:
    return (argument.help or "").replace("%%", "%").replace("|", "\\|")
