"""Configs: strict, frozen, dotted keys, YAML in and out, one sentence for what is wrong."""

import pytest
from pydantic import Field, ValidationError

from rec_core.config import Config, parse_assignments
from rec_core.types import InputError


class Inner(Config):
    """Two numbers."""

    rate: float = Field(0.1, gt=0, le=1, description="A share.")
    names: tuple[str, ...] = Field(("a", "b"), description="Words.")


class Outer(Config):
    """A group and a number."""

    n: int = Field(3, ge=1, description="A count.")
    inner: Inner = Field(Inner(), description="The group.")

    @classmethod
    def _preset_values(cls, name):
        return {"inner.rate": 0.5} if name == "paper" else {"n": 1} if name == "tiny" else {}


def test_presets():
    assert (Outer.preset("tiny").n, Outer.preset("small").n) == (1, 3)
    assert Outer.preset("paper").inner == Inner(rate=0.5)
    with pytest.raises(InputError, match="tiny, small, paper"):
        Outer.preset("huge")


def test_yaml_round_trip(tmp_path):
    config = Outer.from_values({"n": 7, "inner.rate": 0.25, "inner.names": ["é", "1"]})
    config.save(tmp_path / "c.yaml")
    assert Outer.load(tmp_path / "c.yaml") == config
    assert config.inner.names == ("é", "1")


def test_dotted_and_nested_values_reach_the_same_place():
    assert Outer.from_values({"inner.rate": 0.2}) == Outer.from_values({"inner": {"rate": 0.2}})
    both = Outer.from_values({"inner": {"rate": 0.2}, "inner.names": ["x"]})
    assert both.inner == Inner(rate=0.2, names=("x",)) == Outer.from_values(
        {"inner.names": ["x"], "inner": {"rate": 0.2}}
    ).inner  # fmt: skip


def test_changes_keep_the_rest_and_the_original():
    config = Outer(inner=Inner(rate=0.3))
    changed = config.with_values({"inner.names": ["z"]})
    assert changed.inner == Inner(rate=0.3, names=("z",)) and config.inner.names == ("a", "b")
    with pytest.raises(ValidationError):
        config.n = 5


def test_the_values_given_are_left_as_they_were():
    given = {"inner": {"rate": 0.2}, "inner.names": ["x"]}
    Outer.from_values(given)
    Outer().with_values(given)
    assert given == {"inner": {"rate": 0.2}, "inner.names": ["x"]}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"m": 1}, "Outer has no field 'm'"),
        ({"inner.speed": 1}, "no field 'inner.speed'"),
        ({"n": 0}, "field 'n' of Outer cannot be 0"),
        ({"inner.rate": "fast"}, "field 'inner.rate' of Outer cannot be 'fast'"),
        ({"inner": 3, "inner.rate": 0.2}, "'inner' is a plain value"),
        ({"inner": 3}, "field 'inner'"),
    ],
)
def test_what_is_wrong_is_named(values, words):
    with pytest.raises(InputError, match=words) as caught:
        Outer.from_values(values)
    assert "\n" not in str(caught.value)


def test_assignments():
    pairs = ["inner.rate=0.5", "inner.names=[a, b]", "n = 3", "word=", "flag=true", "text=a=b"]
    expected = {
        "inner.rate": 0.5,
        "inner.names": ["a", "b"],
        "n": 3,
        "word": None,
        "flag": True,
        "text": "a=b",
    }
    assert parse_assignments(pairs) == expected
    for pair, words in [
        ("rate", "write field=value"),
        ("=3", "write field=value"),
        ("n=[1", "not valid YAML"),
    ]:
        with pytest.raises(InputError, match=words):
            parse_assignments([pair])
