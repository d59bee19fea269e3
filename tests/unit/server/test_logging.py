import json
import logging as stdlib

import pytest
import structlog

from rollgraph.server import logging
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
