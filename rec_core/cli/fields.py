"""The fields that `train --set` can change, listed below the help of `train`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

if TYPE_CHECKING:
    from rec_core.config import Config


class TrainCommand(TyperCommand):
    """The `train` verb, whose help ends with every system's fields and their values in the preset "small"."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, then the fields."""
        super().format_epilog(ctx, formatter)
        try:
            from rec_core.workbench.run_verbs import config_of, systems

            configs = {card.name: config_of(card.name, "small") for card in systems()}
        except ImportError as error:
            formatter.write_paragraph()
            formatter.write_text(f"The fields cannot be listed here: {error}; `doctor` says what is missing.")
            return
        for name, config in configs.items():
            with formatter.section(f"Fields of {name} for --set (with the values of --preset small)"):
                formatter.write_dl(list(fields(config)))


def fields(config: Config, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield "dotted.name=value" and the description of every field, nested ones after their group."""
    from rec_core.config import Config

    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Config):
            yield from fields(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}={_yaml(value)}", field.description or ""


def _yaml(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_yaml, value))}]"
    return str(value)
