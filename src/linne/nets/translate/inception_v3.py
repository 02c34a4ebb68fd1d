"""Inception-v3: torchvision and timm use the same names."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_MODULES = (("5", "bcd"), ("6", "abcde"), ("7", "abc"))


def _convolution(theirs: str, ours: str, shift: int = 0) -> tuple[Rule, Rule]:
    return Rule(rf"{theirs}\.conv\.", f"{ours}.conv.", shift), Rule(rf"{theirs}\.bn\.", f"{ours}.norm.", shift)


def _module(theirs: str, ours: str) -> tuple[Rule, ...]:
    """Give the branches of every kind of module: no two kinds use one name for different things."""
    return (
        *_convolution(rf"{theirs}\.branch1x1", f"{ours}.one"),
        *_convolution(rf"{theirs}\.branch3x3", f"{ours}.three"),
        *_convolution(rf"{theirs}\.branch3x3_2a", f"{ours}.three.1.wide"),
        *_convolution(rf"{theirs}\.branch3x3_2b", f"{ours}.three.1.tall"),
        *_convolution(rf"{theirs}\.branch3x3_(\d)", f"{ours}.three.{{}}", -1),
        *_convolution(rf"{theirs}\.branch3x3dbl_3a", f"{ours}.three_twice.2.wide"),
        *_convolution(rf"{theirs}\.branch3x3dbl_3b", f"{ours}.three_twice.2.tall"),
        *_convolution(rf"{theirs}\.branch3x3dbl_(\d)", f"{ours}.three_twice.{{}}", -1),
        *_convolution(rf"{theirs}\.branch5x5_(\d)", f"{ours}.five.{{}}", -1),
        *_convolution(rf"{theirs}\.branch7x7(?:x3)?_(\d)", f"{ours}.seven.{{}}", -1),
        *_convolution(rf"{theirs}\.branch7x7dbl_(\d)", f"{ours}.seven_twice.{{}}", -1),
        *_convolution(rf"{theirs}\.branch_pool", f"{ours}.pool"),
    )


TORCHVISION = (
    *_convolution("Conv2d_1a_3x3", "stem.conv1"),
    *_convolution("Conv2d_2a_3x3", "stem.conv2"),
    *_convolution("Conv2d_2b_3x3", "stem.conv3"),
    *_convolution("Conv2d_3b_1x1", "stem.conv4"),
    *_convolution("Conv2d_4a_3x3", "stem.conv5"),
    *(
        rule
        for i, (number, letters) in enumerate(_MODULES)
        for j, letter in enumerate(letters)
        for rule in _module(f"Mixed_{number}{letter}", f"layers.{i}.{j}")
    ),
    *_convolution(r"AuxLogits\.conv0", "auxiliary.0.conv1"),
    *_convolution(r"AuxLogits\.conv1", "auxiliary.0.conv2"),
    Rule(r"AuxLogits\.fc\.", "auxiliary.0.classifier."),
    Rule(r"fc\.", "classifier."),
)

TIMM = TORCHVISION
