import json
import logging as stdlib
import stat
from pathlib import Path

import pytest
import structlog

from rollgraph.core.errors import ConfigError
from rollgraph.server import logging
from rollgraph.server.logging import AUDIT_LOGGER
from rollgraph.server.settings import Log, LogFormat, LogLevel


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(Log(format=LogFormat.JSON))
    structlog.get_logger("ours").warning("spoke_silent", cluster="a", lines="b\nc")
    stdlib.getLogger("theirs").warning("hello %s", "you", extra={"more": 1})
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "spoke_silent",
        "level": "warning",
        "cluster": "a",
        "lines": "b\nc",
    }
    del theirs["timestamp"]
    assert theirs == {"event": "hello you", "level": "warning", "more": 1}


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(Log(level=LogLevel.WARNING))
    structlog.get_logger().info("quiet")
    stdlib.getLogger("theirs").info("quiet")
    structlog.get_logger().warning("loud")
    (line,) = capsys.readouterr().err.splitlines()
    assert "loud" in line


@pytest.mark.parametrize("form", LogFormat)
def test_a_traceback_shows_no_variables(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.configure(Log(format=form))
    _fail("".join(["hun", "ter2"]))
    written = capsys.readouterr().err
    assert "RuntimeError: failed on purpose" in written
    assert "_fail" in written
    assert "hunter2" not in written


def _fail(password: str) -> None:
    try:
        raise RuntimeError("failed on purpose")
    except RuntimeError:
        structlog.get_logger().exception("failed", length=len(password))


STRANGE = "alice\nlevel=info event=forged\r\x1b[2J\x9b0m\u2028\u202egnp.\ud800"


@pytest.mark.parametrize("form", LogFormat)
def test_nothing_that_strangers_say_makes_a_second_line_or_moves_the_cursor(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.configure(Log(format=form))
    structlog.get_logger(AUDIT_LOGGER).info("audit", subject=STRANGE, groups=[STRANGE])
    stdlib.getLogger("theirs").warning("refused %s", STRANGE)
    written = capsys.readouterr().err
    ours, theirs = written.splitlines()
    assert (ours + theirs).isprintable()
    if form is LogFormat.JSON:
        assert json.loads(ours)["subject"] == STRANGE
        assert json.loads(theirs)["event"] == f"refused {STRANGE}"
    else:
        assert "subject='alice\\\\nlevel=info" in ours  # quoted: no key of its own
        assert "refused alice\\nlevel=info" in theirs


@pytest.mark.parametrize("level", LogLevel)
def test_no_level_mutes_the_audit(level: LogLevel, capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(Log(level=level, format=LogFormat.JSON))
    structlog.get_logger(AUDIT_LOGGER).info("audit", verb="promote")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["verb"] == "promote"


def test_the_audit_has_a_file_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text('{"event":"before"}\n')
    logging.configure(Log(), file)
    structlog.get_logger(AUDIT_LOGGER).info("audit", verb="promote")
    structlog.get_logger("ours").info("other")
    before, line = map(json.loads, file.read_text().splitlines())
    assert (before["event"], line["verb"]) == ("before", "promote")
    assert "promote" not in capsys.readouterr().err


def test_a_file_that_is_moved_away_is_made_again_for_few_eyes(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    logging.configure(Log(), file)
    structlog.get_logger(AUDIT_LOGGER).info("audit", verb="promote")
    file.rename(tmp_path / "audit.1")
    structlog.get_logger(AUDIT_LOGGER).info("audit", verb="abort")
    assert json.loads((tmp_path / "audit.1").read_text())["verb"] == "promote"
    assert json.loads(file.read_text())["verb"] == "abort"
    assert not stat.S_IMODE(file.stat().st_mode) & 0o027


def test_a_line_that_the_file_does_not_take_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    logging.configure(Log(format=LogFormat.JSON), folder / "audit.jsonl")
    (folder / "audit.jsonl").unlink()
    folder.rmdir()
    structlog.get_logger(AUDIT_LOGGER).info("audit", verb="promote")
    line, why = map(json.loads, capsys.readouterr().err.splitlines())
    assert line["verb"] == "promote"
    assert (why["event"], why["level"]) == ("audit_file_unwritable", "error")
    assert why["file"] == str(folder / "audit.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
def test_a_full_disk_loses_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(Log(format=LogFormat.JSON), Path("/dev/full"))
    structlog.get_logger(AUDIT_LOGGER).info("audit", verb="promote")
    line, why = map(json.loads, capsys.readouterr().err.splitlines())
    assert line["verb"] == "promote"
    assert "No space left" in why["error"]


def test_a_file_that_cannot_be_made_is_an_error_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"audit\.file \(--audit-file\): .*No such file"):
        logging.configure(Log(), tmp_path / "missing" / "audit.jsonl")
