"""Progress of a long verb, each step timed apart: moving bars on a terminal, one line a step elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from shopkeeper.cli.screen import clean, screen


class Steps:
    """A ``progress`` callback for the verbs of Shop, used as a context; goes to standard error.

    A step begins when it is first heard of and ends when it reaches 1 or the next one begins.

    >>> with Steps(show=False) as steps:
    ...     steps("read", 0.5)
    ...     steps("fold", 1.0)
    >>> list(steps.seconds)
    ['read', 'fold']
    """

    def __init__(self, *, show: bool = True) -> None:
        self.seconds: dict[str, float] = {}
        """Seconds by step, in the order they began."""
        self._console = screen(errors=True)
        self._moving = show and self._console.is_terminal
        self._lines = show and not self._moving
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._moving,
        )
        self._tasks: dict[str, TaskID] = {}
        self._current: str | None = None
        self._began = 0.0

    def __call__(self, step: str, fraction: float) -> None:
        """Take note of how far a step is."""
        if step != self._current:
            self._finish()
            self._current, self._began = step, time.perf_counter()
            self.seconds.setdefault(step, 0.0)
            if step not in self._tasks:
                self._tasks[step] = self._bars.add_task(clean(step), total=1.0)
        self._bars.update(self._tasks[step], completed=min(max(fraction, 0.0), 1.0))
        if fraction >= 1.0:
            self._finish()

    def _finish(self) -> None:
        step = self._current
        if step is None:
            return
        self._current = None
        self.seconds[step] += time.perf_counter() - self._began
        self._bars.update(self._tasks[step], completed=1.0)
        if self._moving:
            self._bars.stop_task(self._tasks[step])
        if self._lines:
            self._console.print(f"{clean(step):<44} {self.seconds[step]:6.1f} s")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._bars.stop()
