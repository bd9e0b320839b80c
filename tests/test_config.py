"""Presets and settings: strict, merged into defaults, one sentence when wrong."""

import pytest
from pydantic import Field

from rec_core.config import Config, parse_assignments
from rec_core.types import InputError


class Inner(Config):
    speed: float = Field(1.0, gt=0, description="How fast.")
    steps: int = Field(10, ge=1, description="How long.")


class Outer(Config):
    inner: Inner = Field(Inner(speed=5.0, steps=50), description="Faster than Inner is by itself.")
    name: str = Field("x", description="A name.")

    @classmethod
    def _preset_values(cls, name):
        return {"inner.steps": 3} if name == "tiny" else {}


def test_a_preset_replaces_one_nested_field_and_keeps_its_neighbours():
    assert Outer.preset("tiny").inner == Inner(speed=5.0, steps=3)
    assert Outer.preset("small") == Outer()


def test_values_replace_one_nested_field_and_keep_its_neighbours():
    changed = Outer.preset("tiny").with_values({"inner.speed": 2.0})
    assert (changed.inner.speed, changed.inner.steps, changed.name) == (2.0, 3, "x")


def test_yaml_round_trip(tmp_path):
    Outer.preset("tiny").save(tmp_path / "config.yaml")
    assert Outer.load(tmp_path / "config.yaml") == Outer.preset("tiny")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"inner.sped": 2}, "no field 'inner.sped'"),
        ({"inner.speed": -1}, "'inner.speed' of Outer cannot be -1"),
        ({"name.first": "y"}, "'name' of Outer cannot be"),
    ],
)
def test_wrong_values_are_named(values, words):
    with pytest.raises(InputError, match=words):
        Outer().with_values(values)


def test_there_is_no_other_preset():
    with pytest.raises(InputError, match="tiny, small, paper"):
        Outer.preset("huge")


def test_assignments_are_yaml():
    assert parse_assignments(["a.b=3", "q=[x, y]", "t=0.5"]) == {"a.b": 3, "q": ["x", "y"], "t": 0.5}
    with pytest.raises(InputError, match="not a setting"):
        parse_assignments(["a.b"])
