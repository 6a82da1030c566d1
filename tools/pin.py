"""Refresh the pins: resolve anew, write the exact versions into pyproject.toml and the hashed requirements.txt.

``uv.lock`` records absolute download addresses and stays out of the repository (docs/why/0007). What was tested is
pinned twice instead, both without addresses: ``[tool.uv] constraint-dependencies`` for ``uv run`` on a clone, and
``requirements.txt`` with hashes for ``pip install --require-hashes``.

Run as ``just pin``; run the tests before committing what it changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
REQUIREMENTS = ROOT / "requirements.txt"
_ARRAYS = ("constraint-dependencies", "build-constraint-dependencies")
_HEADER = """\
# What was tested, with hashes and without index addresses. Written by 'just pin'; do not edit.
"""


def uv(*words: str, cwd: Path, given: str = "") -> list[str]:
    """The lines uv prints, without comments and blank lines."""
    command = ["uv", "--quiet", *words]
    done = subprocess.run(command, cwd=cwd, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return [line for line in done.stdout.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def array(name: str, pins: list[str]) -> str:
    """A TOML array, one pin a line.

    >>> print(array("x", ["a==1 ; python_full_version < '3.12'"]))
    x = [
        "a==1 ; python_full_version < '3.12'",
    ]
    """
    return "\n".join([f"{name} = [", *(f'    "{pin}",' for pin in pins), "]"])


def replaced(text: str, name: str, pins: list[str]) -> str:
    r"""The text of pyproject.toml with the array ``name`` replaced.

    >>> replaced('a = 1\nx = [\n    "b==1",\n]\n', "x", ["b==2"])
    'a = 1\nx = [\n    "b==2",\n]\n'
    """
    pattern = re.compile(rf"^{re.escape(name)} = \[\n.*?^\]$", re.DOTALL | re.MULTILINE)
    changed, times = pattern.subn(lambda _: array(name, pins), text)
    if times != 1:
        sys.exit(f"pyproject.toml has {times} arrays named {name}, expected 1")
    return changed


def main() -> None:
    """Resolve in an empty folder, so that neither old pins nor an old lock file hold anything back."""
    text = PYPROJECT.read_text(encoding="utf-8")
    free = text
    for name in _ARRAYS:
        free = replaced(free, name, [])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "pyproject.toml").write_text(free, encoding="utf-8")
        for name in ("README.md", "LICENSE"):
            (place / name).write_bytes((ROOT / name).read_bytes())
        uv("lock", cwd=place)
        export = ("export", "--frozen", "--no-emit-project", "--no-annotate", "--no-header", "--all-extras")
        pins = uv(*export, "--all-groups", "--no-hashes", cwd=place)
        hashed = uv(*export, "--no-dev", cwd=place)
        backends = re.findall(r'"([^"]+)"', text.split("requires = [", 1)[1].split("]", 1)[0])
        compiled = (
            "pip",
            "compile",
            "--universal",
            "--python-version",
            "3.11",
            "--no-header",
            "--no-annotate",
            "-",
        )
        build = uv(*compiled, cwd=place, given="\n".join(backends))
    text = replaced(replaced(text, _ARRAYS[0], pins), _ARRAYS[1], build)
    PYPROJECT.write_text(text, encoding="utf-8")
    REQUIREMENTS.write_text(_HEADER + "\n".join(hashed) + "\n", encoding="utf-8")
    sys.stdout.write(f"pinned {len(pins)} packages and {len(build)} of the build\n")


if __name__ == "__main__":
    main()
