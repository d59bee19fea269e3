"""The site of the documents can be built, read from one end to the other, and without a network."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from documents import schemapage, staged
from documents.rendered import Rendered
from documents.site import build
from documents.staged import DOCS, UnlinkedError

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Rendered]:
    """Each page by its file. That it is there at all says that zensical found nothing wrong."""
    root = build(tmp_path_factory.mktemp("docs") / "site")
    # The page for what is not there is shown at any address, and so has addresses from the root.
    return {file: Rendered(file) for file in root.rglob("*.html") if file.name != "404.html"}


def test_every_page_of_docs_is_on_it_and_in_its_contents(site: dict[Path, Rendered]) -> None:
    listed = set(re.findall(r'= "([\w/.-]+\.md)"', staged.CONFIG.read_text("utf-8")))
    pages = {str(file.relative_to(DOCS)) for file in DOCS.rglob("*.md")}
    assert pages <= listed
    assert listed - pages == {*staged.WRITTEN, "repository/SECURITY.md"}

    root = home(site).parent
    assert {(root / page).with_suffix(".html") for page in listed} <= site.keys()


def test_every_link_leads_to_a_page_and_a_place_on_it(site: dict[Path, Rendered]) -> None:
    lost = [
        f"{page.name}: {address}"
        for page, rendered in site.items()
        for address in rendered.leads
        if not elsewhere(address) and not leads_somewhere(site, page, address)
    ]
    assert lost == []


def test_links_go_across_pages_and_to_places_on_them(site: dict[Path, Rendered]) -> None:
    """Else the test above would hold on a site without any."""
    leads = site[home(site).with_name("operations.html")].leads
    assert "reference/settings.html#redisprefix" in leads


def test_every_picture_is_there_and_told_in_words(site: dict[Path, Rendered]) -> None:
    pictures = [(page, *each) for page, rendered in site.items() for each in rendered.pictures]
    assert {Path(source).name for _, source, _ in pictures} >= {"graphiql.png", "watch.svg"}
    for page, source, words in pictures:
        assert (page.parent / source).is_file(), source
        assert len(words) > 20, source


def test_pages_load_nothing_from_elsewhere(site: dict[Path, Rendered]) -> None:
    root = home(site).parent
    for page, rendered in site.items():
        assert len(rendered.loads) > 3
        for address in rendered.loads:
            assert not elsewhere(address), address
            assert (page.parent / unquote(urlsplit(address).path)).is_file(), address
    for style in root.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import )['\"]?(?:https?:)?//", style.read_text("utf-8")) == []


def test_the_page_of_the_schema_has_all_that_can_be_asked_for(site: dict[Path, Rendered]) -> None:
    types = re.findall(
        r"^(?:type|enum|input|interface|union|scalar) (\w+)",
        schemapage.SDL.read_text("utf-8"),
        re.MULTILINE,
    )
    anchors = site[home(site).parent / "reference" / "schema.html"].anchors
    assert len(types) > 100
    assert {name.lower() for name in types} <= anchors
    assert {"queryrollouts", "mutationpromoterollout", "subscriptionrolloutchanged"} <= anchors


def test_the_page_of_commands_has_each_with_its_arguments(site: dict[Path, Rendered]) -> None:
    page = home(site).parent / "reference" / "commands.html"
    assert {"rollgraph-serve", "rollgraph-policy-can", "rollgraph-watch"} <= site[page].anchors
    assert "reference/settings.html" not in site[page].leads
    assert "settings.html" in site[page].leads
    text = page.read_text("utf-8")
    assert "--until healthy" in text
    assert "--spokes SPOKES" in text
    assert "--kubeconfig" not in text


def test_a_link_to_what_is_not_there_is_no_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("`[code](of.md)` and [that](gone.md).", "utf-8")
    with pytest.raises(UnlinkedError, match=r"page\.md links to gone\.md"):
        staged.led(page)


def home(site: dict[Path, Rendered]) -> Path:
    return min(site, key=lambda page: len(page.parts) * 1000 + (page.name != "index.html"))


def elsewhere(address: str) -> bool:
    return bool(re.match(r"(?:[a-z]+:)?//|(?:mailto|data):", address))


def leads_somewhere(site: dict[Path, Rendered], page: Path, address: str) -> bool:
    parts = urlsplit(address)
    there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if there.is_dir():
        there /= "index.html"
    if parts.fragment:
        return there in site and unquote(parts.fragment) in site[there].anchors
    return there.is_file()
