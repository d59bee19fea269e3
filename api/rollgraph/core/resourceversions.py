"""Versions of objects compared, as far as Kubernetes allows."""


def at_least(held: str, wanted: str) -> bool:
    """Whether a version of a kind is as new as another of the same kind and spoke.

    Since 1.35 Kubernetes promises that they are numbers; before it kept that to itself, although
    they were. What is none can only be the same or not.
    """
    if _is_number(held) and _is_number(wanted):
        return (len(held), held) >= (len(wanted), wanted)
    return held == wanted


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and text[:1] != "0"
