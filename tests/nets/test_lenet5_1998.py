"""Is LeNet-5 the paper's: table I, trainable subsampling, codes; parameters, connections and numbers?"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from families import lively_network
from references import noise
from torch.utils.flop_counter import FlopCounterMode

from linne.nets import create

# Table I as it is printed: a row for each map of S2, a column for each of C3.
TABLE = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""
ROWS = [line.split() for line in TABLE.strip().split("\n")]
SEEN = [[source for source in range(6) if ROWS[source][m] == "X"] for m in range(16)]


def test_the_parameters_are_sixty_thousand() -> None:
    network = create("lenet5_1998")
    layers = {
        "c1": 6 * (25 + 1),
        "s2": 6 * 2,
        "c3": 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + 1 * (6 * 25 + 1),
        "s4": 16 * 2,
        "c5": 120 * (16 * 25 + 1),
        "f6": 84 * (120 + 1),
        "classifier": 0,
    }
    assert layers["c3"] == 1_516
    assert sum(layers.values()) == 60_000
    for name, parameters in layers.items():
        assert sum(p.numel() for p in getattr(network, name).parameters()) == parameters, name
    assert sum(p.numel() for p in network.parameters()) == 60_000
    assert sum(value.numel() for value in network.state_dict().values()) == 60_000 + 10 * 84


def test_no_weight_is_multiplied_that_table_1_leaves_out() -> None:
    network = create("lenet5_1998")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.c3(noise(1, 6, 14, 14))
    assert counter.get_total_flops() // 2 == 10 * 10 * 25 * (6 * 3 + 9 * 4 + 1 * 6) == 150_000


@torch.inference_mode()
def test_each_map_of_c3_sees_what_table_1_says() -> None:
    assert [len(seen) for seen in SEEN] == [3] * 6 + [4] * 9 + [6]
    c3 = lively_network("lenet5_1998").c3
    x = noise(1, 6, 5, 5)
    before = c3(x)
    for source in range(6):
        changed = x.clone()
        changed[:, source] += 1
        moved = (c3(changed) != before).flatten().tolist()
        assert moved == [source in seen for seen in SEEN]


def test_the_forward_pass_by_loops() -> None:
    """Unit by unit, in double precision, as section II.B says."""
    network = lively_network("lenet5_1998")
    w = {name: value.double().numpy() for name, value in network.state_dict().items()}
    image = noise(1, 1, 32, 32)
    with torch.inference_mode():
        found = network(image)[0]
        f6_found = network.forward_head(network.forward_features(image), pre_logits=True)[0]

    c1 = _convolve(image[0].double().numpy(), w["c1.weight"], w["c1.bias"], [[0]] * 6)
    s2 = _subsample(c1, w["s2.coefficient"].ravel(), w["s2.bias"].ravel())
    kernels = [*w["c3.by_three.weight"], *w["c3.by_four.weight"], *w["c3.by_six.weight"]]
    biases = [*w["c3.by_three.bias"], *w["c3.by_four.bias"], *w["c3.by_six.bias"]]
    # Maps 0 to 5 see three maps in a circle: the fifth sees 4, 5, 0, in this order of its kernels.
    order = [
        *([i % 6 for i in range(m, m + 3)] for m in range(6)),
        *([i % 6 for i in range(m, m + 4)] for m in range(6)),
    ]
    order += [[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]]
    assert [sorted(sources) for sources in order] == SEEN
    s4 = _subsample(_convolve(s2, kernels, biases, order), w["s4.coefficient"].ravel(), w["s4.bias"].ravel())
    c5 = _convolve(s4, w["c5.weight"], w["c5.bias"], [list(range(16))] * 120)
    f6 = [
        _squash(math.fsum(weights * c5[:, 0, 0]) + bias)
        for weights, bias in zip(w["f6.weight"], w["f6.bias"], strict=True)
    ]
    outputs = [math.fsum((x - code) ** 2 for x, code in zip(f6, codes, strict=True)) for codes in w["classifier.codes"]]
    assert f6_found.tolist() == pytest.approx(f6, abs=1e-5)
    assert found.tolist() == pytest.approx([-output for output in outputs], rel=1e-5)


def _convolve(maps: np.ndarray, kernels: object, biases: object, sources: list[list[int]]) -> np.ndarray:
    side = maps.shape[1] - 4
    out = np.empty((len(sources), side, side))
    for m, (kernel, bias, seen) in enumerate(zip(kernels, biases, sources, strict=True)):
        for y in range(side):
            for x in range(side):
                total = sum((kernel[k] * maps[source, y : y + 5, x : x + 5]).sum() for k, source in enumerate(seen))
                out[m, y, x] = _squash(total + bias)
    return out


def _subsample(maps: np.ndarray, coefficients: np.ndarray, biases: np.ndarray) -> np.ndarray:
    side = maps.shape[1] // 2
    out = np.empty((len(maps), side, side))
    for m, y, x in np.ndindex(out.shape):
        four = (
            maps[m, 2 * y, 2 * x]
            + maps[m, 2 * y, 2 * x + 1]
            + maps[m, 2 * y + 1, 2 * x]
            + maps[m, 2 * y + 1, 2 * x + 1]
        )
        out[m, y, x] = _squash(coefficients[m] * four + biases[m])
    return out


def _squash(x: float) -> float:
    return 1.7159 * math.tanh(2 / 3 * x)


def test_codes_are_bitmaps_that_differ() -> None:
    codes = create("lenet5_1998").classifier.codes
    assert codes.shape == (10, 84)
    assert set(codes.unique().tolist()) == {-1.0, 1.0}
    assert all((codes[i] != codes[j]).sum() >= 12 for i, j in combinations(range(10), 2))
    one = codes[1].reshape(12, 7)
    assert (one[:, 3:5] == 1).all()  # the stem
    assert (one[2:10, 5:] == -1).all()  # nothing right of it
    eight = codes[8].reshape(12, 7)
    assert torch.equal(eight, eight.flip(1))


@torch.inference_mode()
def test_a_vector_that_is_a_code_has_no_distance() -> None:
    classifier = create("lenet5_1998").classifier
    logits = classifier(classifier.codes)
    assert logits.diagonal().tolist() == [0.0] * 10
    assert logits[3, 5] == -4 * (classifier.codes[3] != classifier.codes[5]).sum()


def test_fewer_classes_keep_their_digits_and_more_get_codes_by_chance() -> None:
    digits = create("lenet5_1998").classifier.codes
    assert torch.equal(create("lenet5_1998", classes=4).classifier.codes, digits[:4])
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        made.append(create("lenet5_1998", classes=30).classifier.codes)
    assert all(torch.equal(codes[:10], digits) for codes in made)
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert set(made[0][10:].unique().tolist()) == {-1.0, 1.0}
    assert 0.4 < (made[0][10:] > 0).float().mean() < 0.6


def test_codes_are_not_trained() -> None:
    network = create("lenet5_1998").train()
    network(noise(2, 1, 32, 32)).mean().backward()
    assert not network.classifier.codes.requires_grad
    assert "classifier.codes" in network.state_dict()


def test_weights_start_within_the_papers_bounds() -> None:
    torch.manual_seed(0)
    network = create("lenet5_1998")
    fan_in = {"c1": 25, "c3.by_three": 75, "c3.by_four": 100, "c3.by_six": 150, "c5": 400, "f6": 120}
    for name, inputs in fan_in.items():
        layer = network.get_submodule(name)
        assert 0.9 * 2.4 / inputs < layer.weight.abs().max() <= 2.4 / inputs
        assert not layer.bias.any()
    for layer in (network.s2, network.s4):
        assert 0 < layer.coefficient.abs().max() <= 0.6


@torch.inference_mode()
def test_a_larger_image_has_several_places_whose_mean_counts() -> None:
    network = lively_network("lenet5_1998")
    image = noise(1, 1, 36, 40)
    features = network.forward_features(image)
    assert features.shape == (1, 120, 2, 3)
    places = [network.forward_features(image[:, :, y : y + 32, x : x + 32]) for y in (0, 4) for x in (0, 4, 8)]
    expected = network.forward_head(torch.stack(places).mean(0))
    torch.testing.assert_close(network(image), expected)
