"""What ends the help of `train`: the systems, or the fields of the one that was named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

if TYPE_CHECKING:
    from rec_core.config import Config


_NAMED = "rec_core.train.named"  # where the words of the command line are kept until the help is written


class TrainCommand(TyperCommand):
    """The `train` verb: its help ends with the systems, that of `train SYSTEM` with SYSTEM's fields."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words for the help, which click writes before it reads any argument."""
        ctx.meta[_NAMED] = list(args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, then the systems or the fields."""
        super().format_epilog(ctx, formatter)
        try:
            from rec_core.workbench.run_verbs import config_of, systems

            cards = systems()
            named = next((c.name for c in cards if c.name in ctx.meta.get(_NAMED, [])), None)
            config = config_of(named, "small") if named else None
        except ImportError as error:
            formatter.write_paragraph()
            formatter.write_text(f"The fields cannot be listed here: {error}; `doctor` says what is missing.")
            return
        if config is not None:
            with formatter.section(f"Fields of {named} for --set (with the values of --preset small)"):
                formatter.write_dl(list(fields(config)))
            return
        with formatter.section("Systems (train SYSTEM --help lists the fields of one)"):
            formatter.write_dl([(c.name, f"{c.title}; headline metric {c.headline}") for c in cards])


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
