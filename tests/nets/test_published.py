"""Which weights are published, and which does a wish mean?"""

from __future__ import annotations

import math
import re

import pytest
import timm
from references import ARGUMENTS
from torchvision.models import get_model_weights, get_weight, list_models

from linne.nets.catalogue import CATALOGUE
from linne.nets.find import best_weights, find_networks
from linne.nets.timm_catalogue import UNKNOWN
from linne.nets.weights.published import PERMISSIVE, every_published, pick, published
from linne.records.errors import LinneError, WeightsError


def test_torchvisions_rows_are_what_torchvision_says() -> None:
    rows = [row for row in every_published() if row.project == "torchvision"]
    assert len(rows) > 40
    for row in rows:
        theirs = get_weight(row.source)
        assert row.tag == row.source.split(".")[1]
        assert theirs.url.endswith(f"/{row.file}")
        metrics = theirs.meta["_metrics"]["ImageNet-1K"]
        assert (row.top1, row.top5) == (metrics["acc@1"], metrics["acc@5"])
        transform = theirs.transforms()
        assert [row.pixels.height] == transform.crop_size
        assert [row.pixels.resize] == transform.resize_size
        assert row.pixels.interpolation == transform.interpolation.value
        inside = row.network in ("googlenet", "inception_v3")  # torchvision re-scales in these networks once more
        mean, std = ([0.5] * 3, [0.5] * 3) if inside else (transform.mean, transform.std)
        assert (list(row.pixels.mean), list(row.pixels.std)) == (mean, std)


def test_timms_rows_are_what_timm_says() -> None:
    rows = [row for row in every_published() if row.project == "timm"]
    assert len(rows) > 250
    wrong = {}
    for row in rows:
        theirs, pixels = timm.get_pretrained_cfg(row.source.removeprefix("timm/")), row.pixels
        said = {
            "source": (row.source, theirs.hf_hub_id),
            "network": (CATALOGUE[row.network].timm, theirs.architecture),
            "tag": (row.tag, theirs.tag),
            "file": (row.file, theirs.hf_hub_filename or "model.safetensors"),
            "licence": (row.licence, theirs.license or UNKNOWN),
            "classes": (row.classes, theirs.num_classes),
            "size": ((pixels.channels, pixels.height, pixels.width), theirs.input_size),
            "fit": (pixels.fit, {"center": "crop", "squash": "stretch"}[theirs.crop_mode]),
            "resize": (pixels.resize, math.floor(pixels.height / theirs.crop_pct)),
            "interpolation": (pixels.interpolation, theirs.interpolation),
            "mean": (pixels.mean, tuple(theirs.mean)),
            "std": (pixels.std, tuple(theirs.std)),
        }
        apart = {what: both for what, both in said.items() if both[0] != both[1]}
        wrong |= {row.source: apart} if apart else {}
    assert wrong == {}


def test_what_is_stretched_is_not_cut_as_well() -> None:
    """But for these: timm stretches to 266 x 266 and cuts 240 x 240 from it, which a `PixelSpec` cannot say."""
    stretched = [row for row in every_published() if row.pixels.fit == "stretch"]
    cut = [(row.network, row.tag) for row in stretched if row.pixels.resize != row.pixels.height]
    assert cut == [("tf_efficientnet_v2_b3", "in21k_ft_in1k")]


def test_no_weights_of_a_twin_are_forgotten() -> None:
    forgotten = set()
    for name, row in CATALOGUE.items():
        known = {known.source for known in published(name)}
        tagged = timm.list_models(f"{row.timm}.*", pretrained=True) if row.timm else []
        with_classifier = {f"timm/{theirs}" for theirs in tagged if timm.get_pretrained_cfg(theirs).num_classes}
        if row.torchvision and ("torchvision", name) not in NOT_THEIR_WEIGHTS:
            with_classifier |= {str(weights) for weights in get_model_weights(row.torchvision)}
        forgotten |= with_classifier - known
    assert forgotten == OTHERWISE


NOT_THEIR_WEIGHTS = ARGUMENTS.keys() - {("torchvision", "googlenet"), ("torchvision", "inception_v3")}
"""Networks that torchvision has, but no weights for, or those of the plain network."""

OTHERWISE = {
    "VGG16_Weights.IMAGENET1K_FEATURES",  # no classifier, and another preprocessing
    "ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1",  # positions for larger images
    "ViT_L_16_Weights.IMAGENET1K_SWAG_E2E_V1",
}


def test_a_networks_preprocessing_is_that_of_some_of_its_weights() -> None:
    """Where some are for the network's own size: others were trained at another than the authors evaluate at."""
    without = {}
    for name, row in CATALOGUE.items():
        published_with = [known.pixels for known in published(name) if known.pixels.height == row.pixels.height]
        if published_with and row.pixels not in published_with:
            without[name] = row.pixels
    assert without == {}


def test_all_widths_of_the_first_mobilenet_are_prepared_alike() -> None:
    rows = [row.pixels for row in CATALOGUE.values() if row.family == "mobilenet_v1"]
    assert {(row.mean, row.std) for row in rows} == {((0.5,) * 3, (0.5,) * 3)}


def test_the_first_lenet_sees_dark_ground_and_light_ink_as_in_the_paper() -> None:
    pixels = CATALOGUE["lenet5_1998"].pixels
    seen = [(intensity - pixels.mean[0]) / pixels.std[0] for intensity in (0, 1)]
    assert seen == pytest.approx([-0.1, 1.175])


def test_every_row_belongs_to_a_network_and_has_a_place_of_its_own() -> None:
    rows = list(every_published())
    assert {row.network for row in rows} <= CATALOGUE.keys()
    assert len({(row.network, row.path) for row in rows}) == len(rows)
    assert all(re.fullmatch(r"[\w./-]+", row.path) and ".." not in row.path for row in rows)
    assert all(row.classes > 1 for row in rows)


def test_the_best_are_first() -> None:
    rows = published("resnet50")
    scores = [row.top1 or 0.0 for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert len(rows) > 3


def test_imagenet_is_the_best_that_may_be_shipped_at_the_networks_size() -> None:
    for name in CATALOGUE:
        try:
            best = pick(name, "imagenet")
        except WeightsError:
            assert not any(row.classes == 1000 and row.licence in PERMISSIVE for row in published(name))
            continue
        assert (best.classes, best.may_be_shipped) == (1000, True)
        same_size = [r for r in published(name) if r.pixels.height == CATALOGUE[name].pixels.height]
        rivals = [r.top1 or 0.0 for r in same_size if r.classes == 1000 and r.may_be_shipped]
        assert not rivals or (best.top1 or 0.0) == max(rivals)


def test_a_tag_is_found_with_and_without_imagenet_before_it() -> None:
    assert pick("resnet50", "imagenet:a1_in1k") == pick("resnet50", "A1_IN1K")
    assert pick("resnet50", "IMAGENET1K_V1").file == "resnet50-0676ba61.pth"


def test_weights_that_may_not_simply_be_shipped_must_be_named() -> None:
    with pytest.raises(WeightsError) as caught:
        pick("convnext_v2_atto", "imagenet")
    assert "fcmae_ft_in1k" in str(caught.value.remedy)
    assert pick("convnext_v2_atto", "fcmae_ft_in1k").licence == "cc-by-nc-4.0"


@pytest.mark.parametrize(("network", "wanted"), [("resnet50", "imagenet:nothing"), ("lenet5", "imagenet")])
def test_what_is_not_published(network: str, wanted: str) -> None:
    with pytest.raises(WeightsError):
        pick(network, wanted)
    with pytest.raises(LinneError):
        published("resnet_9000")


def test_networks_are_filtered() -> None:
    small = find_networks(max_parameters=6e6, family="mobilenet", licence="apache-2.0")
    assert {"mobilenet_v2", "mobilenet_v4_conv_small"} <= set(small)
    assert all(CATALOGUE[name].parameters <= 6e6 and "mobilenet" in name for name in small)
    assert find_networks() == list(CATALOGUE)
    assert {best_weights(name, "apache-2.0").licence for name in small} == {"apache-2.0"}
    assert find_networks(family="MobileNet-V3") == [name for name in CATALOGUE if name.startswith("mobilenet_v3")]
    assert all(CATALOGUE[name].gmacs <= 0.1 for name in find_networks(max_macs=1e8))
    assert "lenet5" not in find_networks(with_weights=True)
    with pytest.raises(LinneError) as caught:
        find_networks(licence="wtfpl")
    assert "apache-2.0" in str(caught.value.remedy)


def test_every_network_of_torchvision_in_the_catalogue_exists_there() -> None:
    assert {row.torchvision for row in CATALOGUE.values()} - {""} <= set(list_models())


@pytest.mark.parametrize("wanted", ["ImageNet", "IMAGENET:a1_IN1K", "A1_in1k"])
def test_case_does_not_matter(wanted: str) -> None:
    assert pick("resnet18", wanted) == pick("resnet18", wanted.lower())
