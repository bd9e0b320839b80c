"""Presets and settings: strict, merged into defaults, one sentence when wrong."""

import pytest
from pydantic import Field

from rec_core.config import PRESETS, Between, Config, OneOf, parse_assignments
from rec_core.roster import SYSTEMS
from rec_core.types import InputError
from rec_core.workbench import config_of


class Inner(Config):
    speed: float = Field(1.0, gt=0, description="How fast.")
    steps: int = Field(10, ge=1, description="How long.")


class Outer(Config):
    inner: Inner = Field(Inner(speed=5.0, steps=50), description="Faster than Inner is by itself.")
    name: str = Field("x", description="A name.")

    @classmethod
    def _preset_values(cls, name, data, variant):
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


class Ranged(Outer):
    @classmethod
    def search_space(cls):
        return {
            "inner.speed": Between(0.5, 2.0, when={"name": ("fast", "faster")}),
            "inner.steps": Between(1, 9, when={"name": ("fast",), "inner.speed": (5.0,)}),
            "name": OneOf(("x", "y")),
        }


def test_a_range_is_open_where_all_it_depends_on_has_one_of_its_values():
    assert set(Ranged().open_ranges()) == {"name"}
    assert set(Ranged(name="fast").open_ranges()) == {"inner.speed", "inner.steps", "name"}
    assert set(Ranged(name="faster").open_ranges()) == {"inner.speed", "name"}
    slow = Ranged(name="fast").with_values({"inner.speed": 1.0})
    assert set(slow.open_ranges()) == {"inner.speed", "name"}
    assert Outer().open_ranges() == {}


RANGES = [
    pytest.param(card.name, field, limits, id=f"{card.name}-{field}")
    for card in SYSTEMS
    for field, limits in config_of(card.name).search_space().items()
]


@pytest.mark.parametrize(("system", "field", "limits"), RANGES)
def test_every_declared_range_is_of_a_field_that_takes_all_of_it(system, field, limits):
    ends = (limits.low, limits.high) if isinstance(limits, Between) else limits.values
    for preset in PRESETS:
        for end in ends:
            taken = config_of(system, preset, {field: end}).value(field)
            assert taken == end and type(taken) is type(end)
    if isinstance(limits, Between):
        assert type(limits.low) is type(limits.high) and limits.low < limits.high
        assert limits.low > 0 or not limits.log
    else:
        assert len(set(ends)) == len(ends) > 1


@pytest.mark.parametrize(("system", "field", "limits"), RANGES)
def test_what_a_range_depends_on_is_another_field_with_values_it_takes(system, field, limits):
    ranges = config_of(system).search_space()
    for other, values in limits.when.items():
        assert other not in ranges  # a condition that is itself searched would change from trial to trial
        for value in values:
            assert field in config_of(system, "small", {other: value}).open_ranges()


def test_the_systems_that_learn_declare_ranges():
    named = {
        "matrix_factorisation",
        "graph_cf",
        "sequential",
        "amp_cf",
        "ials",
        "ease",
        "item_knn",
        "ctr_baselines",
    }
    assert named <= {parameter.values[0] for parameter in RANGES}


class Several(Config):
    variant = "method"
    method: str = Field("old", pattern="^(old|new)$", description="Which.")
    steps: int = Field(10, ge=1, description="How long.")

    @classmethod
    def _preset_values(cls, name, data, variant):
        published = {("old", ""): 1, ("old", "films"): 2, ("new", ""): 3, ("new", "films"): 4}
        return {"steps": published[variant, data]} if name == "paper" else {}


@pytest.mark.parametrize(
    ("data", "given", "steps"),
    [("", None, 1), ("films", None, 2), ("", {"method": "new"}, 3), ("films", {"method": "new"}, 4)],
)
def test_published_settings_depend_on_the_dataset_and_on_the_method(data, given, steps):
    config = Several.preset("paper", data, given)
    assert (config.steps, config.method) == (steps, (given or {}).get("method", "old"))


def test_a_method_that_is_none_is_named():
    with pytest.raises(InputError, match="'method' of Several cannot be 'nosuch'"):
        Several.preset("paper", "", {"method": "nosuch"})


def test_other_settings_win_over_published_ones():
    config = config_of("graph_cf", "paper", {"encoder": "sgl", "reg": 0.5}, "rlmrec-yelp")
    assert (config.encoder, config.reg, config.contrast.temperature) == ("sgl", 0.5, 0.1)


@pytest.mark.parametrize(
    ("data", "encoder", "published"),
    [
        ("rlmrec-amazon", "lightgcn", {"n_layers": 3, "reg": 1e-6, "keep_prob": 0.8, "task.split": "given"}),
        ("rlmrec-amazon", "sgl", {"reg": 1e-5, "contrast.weight": 0.1, "contrast.drop_prob": 0.2}),
        ("rlmrec-yelp", "sgl", {"reg": 1e-6, "contrast.weight": 1e-3, "contrast.temperature": 0.1}),
        ("rlmrec-yelp", "simgcl", {"reg": 1e-5, "contrast.eps": 0.9, "contrast.temperature": 0.2}),
        (
            "ml-1m",
            "lightgcn",
            {"n_layers": 3, "reg": 1e-4, "batch_size": 1024, "task.split": "leave_one_out"},
        ),
    ],
)
def test_graph_encoders_come_with_what_was_published_for_the_dataset(data, encoder, published):
    config = config_of("graph_cf", "paper", {"encoder": encoder}, data)
    assert {name: config.value(name) for name in published} == published


@pytest.mark.parametrize(
    ("data", "encoder", "published"),
    [
        ("ml-1m", "sasrec", {"max_length": 200, "dropout": 0.2, "loss": "bce", "sasrec.style": "paper"}),
        ("amazon-beauty", "sasrec", {"max_length": 50, "dropout": 0.5, "sasrec.n_heads": 1}),
        ("ml-1m", "gru4rec", {"dropout": 0.3, "gru_hidden_size": 128}),
        ("ml-1m", "caser", {"n_negatives": 3, "caser.n_ahead": 3, "embedding_size": 50}),
    ],
)
def test_sequence_encoders_come_with_what_was_published_for_the_dataset(data, encoder, published):
    config = config_of("sequential", "paper", {"encoder": encoder}, data)
    assert {name: config.value(name) for name in published} == published
