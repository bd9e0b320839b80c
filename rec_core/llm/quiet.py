"""Keep the libraries under us from drawing on a shell or page that is not theirs; errors come through."""

from __future__ import annotations

import logging
import warnings


def quiet_libraries() -> None:
    """Turn off progress bars and chatter of transformers, peft and bitsandbytes, before a model is loaded."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    # peft asks a model under a name that transformers has renamed: nothing a user could act on.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
    warnings.filterwarnings("ignore", message="IProgress not found")  # bars of its own are turned off below
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
