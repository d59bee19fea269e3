"""What providers say when they refuse: a code of few letters, and texts that are not repeated."""


def word(code: object) -> str:
    """An error's code, fit to be shown: no part of a code or a token can hide in it."""
    text = str(code)
    plain = len(text) <= 40 and text.isascii() and text.replace("_", "").isalpha()
    return text if plain else "an unknown error"
