"""The base of every config: strict, frozen, described; presets, ranges worth searching, YAML in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rec_core.types import InputError

Preset = Literal["tiny", "small", "paper"]
PRESETS: tuple[Preset, ...] = ("tiny", "small", "paper")
When = Mapping[str, tuple[Any, ...]]  # dotted field -> its values under which a range means anything


@dataclass(frozen=True)
class Between:
    """Every number from `low` to `high`, both included; whole ones when both limits are whole.

    `log`: every power of ten is as likely as the next, not every number. `when`: other fields and their
    values under which this field does something; in any other config it is not searched.
    """

    low: int | float
    high: int | float
    log: bool = False
    when: When = field(default_factory=dict)


@dataclass(frozen=True)
class OneOf:
    """A few plain values, without order. `when` is that of `Between`."""

    values: tuple[str | int | float | bool, ...]
    when: When = field(default_factory=dict)


Range = Between | OneOf


class Config(BaseModel):
    """One concept's settings. Unknown fields are refused, values never change after creation."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    variant: ClassVar[str] = ""
    """The field that chooses between published methods, whose preset values differ; "" for none."""

    @classmethod
    def preset(cls, name: str, data: str = "", given: Mapping[str, Any] | None = None) -> Self:
        """Return the named preset: the defaults with what `_preset_values` of the subclass replaces.

        Args:
            name: of the preset.
            data: the dataset's name; papers publish other settings for other datasets.
            given: fields that the caller replaces; of these the `variant` field counts here, and is replaced.

        Raises:
            InputError: the name is none of "tiny", "small", "paper".
        """
        if name not in PRESETS:
            raise InputError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
        default = cls()
        if cls.variant and given and cls.variant in given:
            default = default.with_values({cls.variant: given[cls.variant]})
        variant = str(default.value(cls.variant)) if cls.variant else ""
        return default.with_values(cls._preset_values(name, data, variant))

    @classmethod
    def _preset_values(cls, name: str, data: str, variant: str) -> dict[str, Any]:
        return {}

    @classmethod
    def search_space(cls) -> dict[str, Range]:
        """Return the ranges worth searching by (dotted) field; a subclass names its own."""
        return {}

    def open_ranges(self) -> dict[str, Range]:
        """Return the part of the search space whose fields do something in this very config."""
        return {
            name: limits
            for name, limits in self.search_space().items()
            if all(self.value(other) in values for other, values in limits.when.items())
        }

    def value(self, name: str) -> Any:
        """Return the value of a field; dots reach into nested configs.

        Raises:
            AttributeError: there is no such field.
        """
        place: Any = self
        for part in name.split("."):
            place = getattr(place, part)
        return place

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Build from plain values; dots in a key reach into nested configs ("tuning.training.epochs").

        Raises:
            InputError: naming the field, what was given and what is allowed.
        """
        try:
            return cls.model_validate(_nest(values))
        except ValidationError as error:
            raise InputError(_first_problem(cls.__name__, error)) from None

    def with_values(self, values: dict[str, Any]) -> Self:
        """Return a copy with some fields replaced (dotted keys allowed), validated again."""
        return type(self).from_values(_merge(self.model_dump(), _nest(values)))

    def save(self, path: Path) -> None:
        """Write as YAML."""
        path.write_text(yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        return cls.from_values(yaml.safe_load(path.read_text(encoding="utf-8")))


def parse_assignments(pairs: list[str]) -> dict[str, Any]:
    """Turn ["tuning.n_shots=64", "quirks=[shifted_neighbours]"] into values (the right sides are YAML).

    Raises:
        InputError: a pair has no "=" or its value is not YAML.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{pair!r} is not a setting; write field=value, for example tuning.n_shots=64.")
        try:
            values[name.strip()] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise InputError(
                f"The value of {name.strip()!r} cannot be read: {text!r} is not valid YAML."
            ) from None
    return values


def _nest(values: dict[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *parents, leaf = key.split(".")
        place = nested
        for parent in parents:
            step = place.setdefault(parent, {})
            if not isinstance(step, dict):
                raise InputError(
                    f"{key!r} cannot be set: {parent!r} is a plain value, not a group of settings."
                )
            place = step
        place[leaf] = _merge(place.get(leaf), value)
    return nested


def _merge(base: Any, changes: Any) -> Any:
    """Return `changes` over `base`; neither is touched, nor any group inside them."""
    if not isinstance(changes, dict):
        return changes
    merged = dict(base) if isinstance(base, dict) else {}
    for key, value in changes.items():
        merged[key] = _merge(merged.get(key), value)
    return merged


def _first_problem(name: str, error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"]) or name
    if problem["type"] == "extra_forbidden":
        return f"{name} has no field {where!r}; check the spelling (`rec_core train --help` lists them)."
    return f"The field {where!r} of {name} cannot be {problem['input']!r}: {problem['msg'].lower()}."
