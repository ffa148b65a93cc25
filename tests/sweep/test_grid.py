"""The points of a sweep."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.base.errors import SimnetError
from simnet.sweep.grid import METHODS, parse_axis, points


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("topology.k=4,6,8", ("4", "6", "8")),
        ("topology.rewire_p=0:1:3", None),
        ("topology.rewire_p=0.0:1.0:3", ("0.0", "0.5", "1.0")),
        ("topology.n=10:30:3", ("10", "20", "30")),
        ("topology.type=ring,small_world", ('"ring"', '"small_world"')),
        ('provers.regions.X=["stwo"],["plonky3"]', ('["stwo"]', '["plonky3"]')),
        ("chain.enabled=true,false", ("true", "false")),
        ("links.default.loss=0.1:0.3:3", ("0.1", "0.2", "0.3")),
        ("sim.seed=7:7:1", ("7",)),
    ],
)
def test_values_are_those_that_were_meant(text: str, values: tuple[str, ...] | None) -> None:
    if values is None:
        with pytest.raises(SimnetError, match=r"write 0\.0 for numbers"):
            parse_axis(text)
        return
    axis = parse_axis(text)
    assert (axis.key, axis.values, axis.is_range) == (text.partition("=")[0], values, False)
    assert all(tomllib.loads(f"x = {value}") for value in values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k",
        "k=",
        "=4",
        "k=1:0:2",
        "k=1:2:0",
        "k=0:1:9999999",
        "k=4,4",
        "k=4,,6",
        "k=[",
        "k=a b",
        "a b=4",
        "k=1]\nx=[2",
        "k=0:inf:3",
        "k=\x00",
    ],
)
def test_what_is_no_parameter_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SimnetError, match="--grid"):
        parse_axis(text)


def test_every_combination_comes_once_the_last_parameter_changing_fastest() -> None:
    found = points([parse_axis("a=1,2"), parse_axis("b=x,y,z")])
    assert [(point["a"], point["b"]) for point in found] == [(a, b) for a in "12" for b in ('"x"', '"y"', '"z"')]
    assert points([]) == [{}], "no parameter: one point, the scenario as it is"
    with pytest.raises(SimnetError, match="given twice"):
        points([parse_axis("a=1"), parse_axis("a=2")])
    with pytest.raises(SimnetError, match="at most 100000"):
        points([parse_axis(f"{key}=0:99:100") for key in "abc"])


@pytest.mark.parametrize("method", METHODS)
def test_a_sample_stays_in_its_ranges_and_spreads(method: str) -> None:
    axes = [parse_axis("k=4:7"), parse_axis("p=0.0:1.0"), parse_axis("b=x,y")]
    found = points(axes, 32, method)
    assert len(found) == 64 and list(found[0]) == ["k", "p", "b"]
    assert {int(point["k"]) for point in found} == {4, 5, 6, 7}
    shares = sorted({float(point["p"]) for point in found})
    assert len(shares) == 32 and 0 <= shares[0] < 0.2 and 0.8 < shares[-1] < 1
    assert found == points(axes, 32, method), "the same each time"
    assert found != points(axes, 32, method, seed=2)


def test_sobol_and_latin_points_stand_once_in_each_stratum() -> None:
    for method in ("sobol", "latin"):
        shares = [float(point["p"]) for point in points([parse_axis("p=0.0:1.0")], 16, method)]
        assert sorted(int(share * 16) for share in shares) == list(range(16))


def test_ranges_and_samples_need_each_other() -> None:
    with pytest.raises(SimnetError, match="--sample N"):
        points([parse_axis("p=0.0:1.0")])
    with pytest.raises(SimnetError, match="no range"):
        points([parse_axis("k=4,6")], 8)
    with pytest.raises(SimnetError, match="one of sobol, latin, random"):
        points([parse_axis("p=0.0:1.0")], 8, "guess")


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_parameter_or_one_error(text: str) -> None:
    try:
        axis = parse_axis(text)
    except SimnetError as error:
        said = str(error)
    else:
        said = ""
        assert axis.is_range or all(tomllib.loads(f"x = {value}") for value in axis.values)
    assert "\n" not in said
