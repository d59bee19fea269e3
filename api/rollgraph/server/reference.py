"""The settings as documentation: `docs/reference/settings.md` is this, printed."""

from collections.abc import Iterator

from rollgraph.server.settings import Setting, every, groups

_HEAD = """# Settings

<!-- Printed by `rollgraph config reference`; a test compares. Change `server/settings` instead. -->

Every setting can be given as a flag of `rollgraph serve`, as an environment variable, and as a key
of the YAML file that `--config` names. A flag goes before its variable, a variable before the file,
the file before the default. An empty variable counts as not set.

```yaml
http:
  port: 8080
spokes:
  kubeconfig: [~/.kube/config]
  contexts: [prod-eu, prod-us]
log:
  format: json
```

A list is a YAML list in the file, a flag given several times, or one variable: names separated by
`,`, paths by `:` as in `$KUBECONFIG`. Relative paths start at the working directory.

A setting that does not exist, or a value that cannot be, ends `rollgraph serve` with status 2 and a
line for each problem: where it is, which key, what was expected. `rollgraph config check` does the
same without serving.
"""


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for name, group in groups().items():
        parts.append(f"\n## {name}\n\n{(group.__doc__ or '').strip()}\n")
        parts += [_entry(setting) for setting in every() if setting.group == name]
    return "".join(parts)


def _entry(setting: Setting) -> str:
    return "\n".join(_lines(setting))


def _lines(setting: Setting) -> Iterator[str]:
    yield f"\n### {setting.path}\n"
    yield f"{setting.field.description}\n"
    yield f"- flag: {_flag(setting)}"
    yield f"- environment: `{setting.env}`"
    yield f"- default: {f'`{setting.default}`' if setting.default != '' else 'none'}\n"


def _flag(setting: Setting) -> str:
    if setting.switch:
        return f"`{setting.flag}`, or `{setting.opposite}`"
    return f"`{setting.flag} {setting.value}`" + (", repeatable" if setting.many else "")
