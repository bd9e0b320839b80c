"""`python -m rec_core`: the command line.

The defaults below must stand before any library reads them; what the environment already says is kept.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads collapse beside another busy process
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # the command line draws the progress
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from rec_core.cli.app import main  # noqa: E402

main()
