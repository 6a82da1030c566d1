"""Progress: each step is timed apart, and a pipe gets one line a step."""

from __future__ import annotations

import pytest

from shopkeeper.cli.steps import Steps


def test_a_pipe_gets_one_plain_line_per_step(capsys):
    with Steps() as steps:
        steps("read", 0.2)
        steps("read", 1.0)
        steps("fold", 0.5)
    err = capsys.readouterr().err
    assert [line.split()[0] for line in err.splitlines()] == ["read", "fold"]
    assert "\x1b" not in err


def test_a_step_that_comes_again_adds_to_its_time(capsys):
    with Steps(show=False) as steps:
        steps("read", 0.5)
        steps("fold", 1.0)
        before = steps.seconds["read"]
        steps("read", 1.0)
    assert list(steps.seconds) == ["read", "fold"]
    assert steps.seconds["read"] >= before
    assert capsys.readouterr().err == ""


def test_an_error_in_between_is_not_swallowed(capsys):
    def fails(steps):
        with steps:
            steps("read", 0.5)
            raise ValueError("disk")

    with pytest.raises(ValueError, match="disk"):
        fails(Steps())
    assert "read" not in capsys.readouterr().err, "a step that failed is not reported as done"
