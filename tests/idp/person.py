"""A person who logs in at the provider: follows its pages and fills its forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2


@dataclass
class Form:
    """A form of a page."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", "")))
        elif tag in {"input", "button"} and self.forms and values.get("name"):
            self.forms[-1].fields[values["name"]] = values.get("value", "")


class Person:
    """Somebody with a browser's cookies.

    Args:
        client: A client without redirects of its own.
        name: Their login.
    """

    def __init__(self, client: httpx2.Client, name: str) -> None:
        self.client = client
        self.name = name

    def follow(self, url: str, until: str) -> str:
        """Goes from page to page, logs in and agrees; gives the first URL that begins so."""
        return url if url.startswith(until) else self.follow_from(self.client.get(url), until)

    def follow_from(self, answer: httpx2.Response, until: str) -> str:
        """Goes on from a page, as `follow` does."""
        for _ in range(20):
            while not answer.has_redirect_location:
                if "Sign-in Success" in answer.text:  # of a device: it leads nowhere
                    return str(answer.url)
                answer = self.submit(answer)
            url = urljoin(str(answer.url), answer.headers["location"])
            if url.startswith(until):
                return url
            answer = self.client.get(url)
        raise AssertionError(f"{until} was not reached; last came {answer.url}")

    def submit(self, page: httpx2.Response) -> httpx2.Response:
        """Fills and sends the first form of a page."""
        reader = _Forms()
        reader.feed(page.text)
        assert reader.forms, (page.request.method, page.url, page.text)
        form = reader.forms[0]
        for name in form.fields:
            if name == "login":
                form.fields[name] = self.name
            if name == "password":
                form.fields[name] = "anything"
        form.fields.pop("abort", None)
        url = urljoin(str(page.url), form.action) if form.action else str(page.url)
        return self.client.post(url, data=form.fields)
