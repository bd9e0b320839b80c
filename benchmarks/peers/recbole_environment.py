"""The virtual environment RecBole runs in: it needs older numpy, pandas, scipy and ray than this project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("recbole_requirements.txt")


def recbole_python(root: Path) -> Path:
    """Return the python that can import RecBole, making its environment first where there is none.

    torch goes in before everything else, so that whatever build of it the machine has at hand stays.

    Args:
        root: the workspace; the environment lies in `peers/` beside its cache.

    Raises:
        subprocess.CalledProcessError: a package cannot be installed; pip says which.
    """
    folder = root / "peers" / "recbole"
    python, done = folder / "bin" / "python", folder / ".installed"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return python
    torch = next(line for line in wanted.splitlines() if line.startswith("torch=="))
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", torch],
        [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)],
    ):
        subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 our own commands
    done.write_text(wanted, encoding="utf-8")
    return python
