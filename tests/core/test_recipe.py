"""Recipes: what they accept, the sentence for every mistake, overrides, files beside files, and back to YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core import recipe
from hornbook.core.errors import RecipeError


@dataclass(frozen=True, kw_only=True)
class LayerNorm:
    eps: float = 1e-5
    bias: bool = True


@dataclass(frozen=True, kw_only=True)
class RMSNorm:
    eps: float = 1e-6


@dataclass(frozen=True, kw_only=True)
class Attention:
    heads: int
    kv_heads: int | None = None
    norm: LayerNorm | RMSNorm | None = None

    def __post_init__(self) -> None:
        if self.kv_heads and self.heads % self.kv_heads:
            raise ValueError(f"kv_heads: {self.kv_heads} does not divide heads: {self.heads}; try 1 or {self.heads}")


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """A sublayer that sums its children: unions may be recursive."""

    children: tuple["Sublayer", ...]


Sublayer = Attention | Parallel


@dataclass(frozen=True, kw_only=True)
class Stack:
    layers: int = 2
    layer: tuple[Sublayer, ...] = (Attention(heads=2),)
    final: LayerNorm | RMSNorm = RMSNorm()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    stack: Stack = Stack()
    name: str = "demo"
    activation: Literal["gelu", "silu", 1] = "gelu"
    betas: tuple[float, float] = (0.9, 0.95)
    special: list[str] = field(default_factory=list)
    source: str | list[str] = "stdlib"
    folder: Path = Path("runs")
    sources: Sequence[Path] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    parts: dict[str, Attention] = field(default_factory=dict)
    named: tuple[Sublayer, ...] | dict[str, tuple[Sublayer, ...]] = ()
    tokens: int | None = None
    note: Any = None


FULL = {
    "stack": {
        "layers": 3,
        "layer": [
            {"type": "attention", "heads": 4, "kv_heads": 2, "norm": "layer_norm"},
            {"type": "parallel", "children": [{"type": "attention", "heads": 1}]},
        ],
        "final": {"type": "layer_norm", "eps": 1, "bias": False},
    },
    "tokens": 1e6,
    "betas": [0, 1],
    "special": ["<|a|>"],
    "source": ["a", "b"],
    "folder": "x/y",
    "sources": ["p"],
    "weights": {"code": 2},
    "parts": {"q": {"heads": 8}},
    "note": {"free": [1]},
    "name": 2024,
}


def test_plain_data_becomes_the_dataclasses_it_names() -> None:
    assert recipe.parse(Recipe, FULL) == Recipe(
        stack=Stack(
            layers=3,
            layer=(Attention(heads=4, kv_heads=2, norm=LayerNorm()), Parallel(children=(Attention(heads=1),))),
            final=LayerNorm(eps=1.0, bias=False),
        ),
        tokens=1_000_000,
        betas=(0.0, 1.0),
        special=["<|a|>"],
        source=["a", "b"],
        folder=Path("x/y"),
        sources=(Path("p"),),
        weights={"code": 2.0},
        parts={"q": Attention(heads=8)},
        note={"free": [1]},
        name="2024",
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"stack": {"layer": [{"type": "attention", "heds": 2}]}},
         "stack.layer[0].heds: attention has no such field (did you mean 'heads'?)"),
        ({"stack": {"layer": [{"type": "attention"}]}}, "stack.layer[0].heads: attention needs this field"),
        ({"stack": {"layer": [{"type": "atention", "heads": 1}]}},
         "stack.layer[0]: type 'atention' is not one of attention, parallel (did you mean 'attention'?)"),
        ({"stack": {"layer": [{"heads": 1}]}}, "stack.layer[0]: needs a `type:`, one of attention, parallel"),
        ({"stack": {"layer": {"heads": 1}}}, "stack.layer: wants a list, got {'heads': 1}"),
        ({"stack": {"layer": [7]}}, "stack.layer[0]: 7 is not one of attention, parallel"),
        ({"stack": {"final": "rms_nrom"}},
         "stack.final: 'rms_nrom' is not one of layer_norm, rms_norm (did you mean 'rms_norm'?)"),
        ({"stack": {"final": None}}, "stack.final: None is not one of layer_norm, rms_norm"),
        ({"stack": {"layer": [{"type": "attention", "heads": 3, "kv_heads": 2}]}},
         "stack.layer[0]: kv_heads: 2 does not divide heads: 3; try 1 or 3"),
        ({"stack": 3}, "stack: wants the fields of stack, got 3"),
        ({"stack": {"layers": "two"}}, "stack.layers: wants a whole number, got 'two'"),
        ({"stack": {"layers": 2.5}}, "stack.layers: wants a whole number, got 2.5"),
        ({"stack": {"layers": True}}, "stack.layers: wants a whole number, got True"),
        ({"stack": {"layers": None}}, "stack.layers: wants a whole number, got None"),
        ({"stack": {"final": {"type": "layer_norm", "bias": 1}}}, "stack.final.bias: wants true or false, got 1"),
        ({"stack": {"final": {"type": "layer_norm", "eps": "tiny"}}}, "stack.final.eps: wants a number, got 'tiny'"),
        ({"name": True}, "name: wants text, got True"),
        ({"activation": "relu"}, "activation: 'relu' is not one of gelu, silu, 1 (did you mean 'gelu'?)"),
        ({"activation": "gleu"}, "activation: 'gleu' is not one of gelu, silu, 1 (did you mean 'gelu'?)"),
        ({"activation": True}, "activation: True is not one of gelu, silu, 1"),
        ({"tokens": "many"}, "tokens: wants a whole number, got 'many'"),
        ({"betas": [0.9]}, "betas: wants 2 values, got 1"),
        ({"betas": 0.9}, "betas: wants a list, got 0.9"),
        ({"betas": [0.9, "x"]}, "betas[1]: wants a number, got 'x'"),
        ({"source": [1, None]}, "source[1]: wants text, got None"),
        ({"source": {"a": 1}}, "source: {'a': 1} is not one of str, list"),
        ({"named": {"m": [{"type": "attention", "heds": 2}]}},
         "named.m[0].heds: attention has no such field (did you mean 'heads'?)"),
        ({"named": [{"type": "attention", "heds": 2}]},
         "named[0].heds: attention has no such field (did you mean 'heads'?)"),
        ({"named": {"m": 3}}, "named.m: wants a list, got 3"),
        ({"weights": [1]}, "weights: wants a mapping, got [1]"),
        ({"weights": {"a": "much"}}, "weights.a: wants a number, got 'much'"),
        ({"folder": 3}, "folder: wants Path, got 3"),
        ({"nmae": "x"}, "nmae: recipe has no such field (did you mean 'name'?)"),
        ([1], "Recipe: wants the fields of recipe, got [1]"),
        (None, "Recipe: wants the fields of recipe, got None"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_place_value_and_fix(data: Any, sentence: str) -> None:
    with pytest.raises(RecipeError) as error:
        recipe.parse(Recipe, data)
    assert str(error.value) == sentence


norms = st.builds(LayerNorm, eps=st.floats(0, 1), bias=st.booleans()) | st.builds(RMSNorm, eps=st.floats(0, 1))
attentions = st.builds(Attention, heads=st.integers(1, 64), norm=st.none() | norms)
sublayers = st.recursive(
    attentions, lambda child: st.builds(Parallel, children=st.lists(child, max_size=3).map(tuple)), max_leaves=4
)
recipes = st.builds(
    Recipe,
    stack=st.builds(Stack, layers=st.integers(), layer=st.lists(sublayers, max_size=3).map(tuple), final=norms),
    name=st.text(),
    activation=st.sampled_from(["gelu", "silu", 1]),
    special=st.lists(st.text()),
    source=st.text() | st.lists(st.text()),
    weights=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    parts=st.dictionaries(st.text(), attentions),
    tokens=st.none() | st.integers(),
)


@given(recipes)
def test_parse_is_the_inverse_of_dump(config: Recipe) -> None:
    assert recipe.parse(Recipe, recipe.dump(config)) == config


@given(recipes)
def test_a_resolved_recipe_on_disk_is_the_same_recipe(tmp_path_factory: pytest.TempPathFactory, config: Recipe) -> None:
    path = tmp_path_factory.getbasetemp() / "resolved.yaml"
    path.write_text(recipe.to_yaml(config), encoding="utf-8")
    assert recipe.load(Recipe, path) == config


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("stack.layers=6", "stack.layers", 6),
        ("stack.layer.0.heads=8", "stack.layer[0].heads", 8),
        ("stack.layer[0].heads=8", "stack.layer[0].heads", 8),
        ("stack.layer.1=parallel.yaml", "stack.layer[1].children[0].heads", 5),
        ("stack.final=layer_norm", "stack.final.eps", 1e-5),
        ("stack.final.eps=3e-4", "stack.final.eps", 3e-4),
        ("stack.layer.0.norm.eps=1", "stack.layer[0].norm.eps", 1.0),
        ("betas=[0.5, 0.6]", "betas", (0.5, 0.6)),
        ("weights.wiki=3", "weights.wiki", 3.0),
        ("name=a=b", "name", "a=b"),
        ("source=*.txt", "source", "*.txt"),
        ("tokens=null", "tokens", None),
    ],
)
def test_overrides(tmp_path: Path, override: str, path: str, value: object) -> None:
    (tmp_path / "parallel.yaml").write_text("type: parallel\nchildren: [{type: attention, heads: 5}]")
    (tmp_path / "r.yaml").write_text(
        "stack: stack.yaml\ntokens: 5\nweights: {code: 1}",
    )
    (tmp_path / "stack.yaml").write_text(
        "layer:\n- {type: attention, heads: 2, norm: layer_norm}\n- {type: attention, heads: 3}\nfinal: rms_norm"
    )
    assert dict(recipe.leaves(recipe.load(Recipe, tmp_path / "r.yaml", [override])))[path] == value


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("layers", "layers: an override is written key=value, for instance pretrain.steps=200"),
        ("=3", "=3: an override is written key=value, for instance pretrain.steps=200"),
        ("stack.layer.7.heads=1", "stack.layer.7.heads: a list of 1 wants a number from 0 to 0, not '7'"),
        ("stack.layer.x.heads=1", "stack.layer.x.heads: a list of 1 wants a number from 0 to 0, not 'x'"),
        ("stack.layers.x=1", "stack.layers: is the value 3 and has no fields to override"),
        ("stack.leyers=1", "stack.leyers: stack has no such field (did you mean 'layers'?)"),
        ("stakc.layers=1", "stakc: recipe has no such field (did you mean 'stack'?)"),
        ("stack.final.type=x", "stack.final: type 'x' is not one of layer_norm, rms_norm"),
    ],
)
def test_a_mistaken_override_is_one_sentence(tmp_path: Path, override: str, sentence: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("stack: {layers: 3, layer: [{type: attention, heads: 1}]}")
    with pytest.raises(RecipeError) as error:
        recipe.load(Recipe, path, [override])
    assert str(error.value) == sentence


def test_an_empty_recipe_is_all_defaults_once_something_is_overridden(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing yet\n")
    assert recipe.load(Recipe, path, ["stack.layers=4"]).stack.layers == 4


def test_a_file_names_files_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "models" / "parts").mkdir(parents=True)
    (tmp_path / "r.yaml").write_text("stack: models/small.yaml")
    (tmp_path / "models" / "small.yaml").write_text("layers: 5\nfinal: parts/norm.yaml")
    (tmp_path / "models" / "parts" / "norm.yaml").write_text("type: layer_norm\neps: 0.5")
    assert recipe.load(Recipe, tmp_path / "r.yaml").stack == Stack(layers=5, final=LayerNorm(eps=0.5))


def test_a_missing_file_beside_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("stack: small.yaml")
    with pytest.raises(RecipeError, match=r"^small\.yaml: no such recipe file, nor a built-in recipe"):
        recipe.load(Recipe, tmp_path / "r.yaml")


@pytest.mark.parametrize("children", ["[again.yaml]", "[{type: parallel, children: [other.yaml]}]"])
def test_a_file_that_includes_itself_is_named(tmp_path: Path, children: str) -> None:
    (tmp_path / "r.yaml").write_text("stack: {layer: [again.yaml, again.yaml]}")
    (tmp_path / "other.yaml").write_text("type: parallel\nchildren: [again.yaml]")
    (tmp_path / "again.yaml").write_text(f"type: parallel\nchildren: {children}")
    with pytest.raises(
        RecipeError, match=r"again\.yaml: this file includes itself; write out what it should say there$"
    ):
        recipe.load(Recipe, tmp_path / "r.yaml")


def test_a_file_may_be_included_twice(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("stack: {layer: [part.yaml, part.yaml]}")
    (tmp_path / "part.yaml").write_text("type: attention\nheads: 3")
    assert recipe.load(Recipe, tmp_path / "r.yaml").stack.layer == (Attention(heads=3), Attention(heads=3))


def test_leaves_are_every_value_with_its_path_in_order() -> None:
    found = list(recipe.leaves(Stack(layer=(Attention(heads=2), Parallel(children=())))))
    assert found == [
        ("layers", 2),
        ("layer[0].heads", 2),
        ("layer[0].kv_heads", None),
        ("layer[0].norm", None),
        ("layer[1].children", ()),
        ("final.eps", 1e-6),
    ]


@pytest.mark.parametrize(
    ("name", "expected"), [("AdamW", "adamw"), ("MLP", "mlp"), ("WSD", "wsd"), ("MultiHead2D", "multi_head2d")]
)
def test_tags(name: str, expected: str) -> None:
    assert recipe.tag(type(name, (), {})) == expected


@dataclass(frozen=True, kw_only=True)
class Usual:
    USUAL: ClassVar[bool] = True
    size: int = 1


def test_a_mapping_without_type_is_the_usual_member() -> None:
    assert recipe.parse(RMSNorm | Usual, {"size": 3}) == Usual(size=3)
    assert recipe.parse(RMSNorm | Usual, {"type": "rms_norm"}) == RMSNorm()
    with pytest.raises(RecipeError, match="norm: needs a `type:`, one of rms_norm, layer_norm"):
        recipe.parse(RMSNorm | LayerNorm, {"eps": 3.0}, "norm")
