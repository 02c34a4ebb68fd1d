"""GoogLeNet with batch norm; timm does not have it."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_MODULES = (("3", "ab"), ("4", "abcde"), ("5", "ab"))


def _convolution(theirs: str, ours: str) -> tuple[Rule, Rule]:
    return Rule(rf"{theirs}\.conv\.", f"{ours}.conv."), Rule(rf"{theirs}\.bn\.", f"{ours}.norm.")


def _module(theirs: str, ours: str) -> tuple[Rule, ...]:
    return (
        *_convolution(rf"{theirs}\.branch1", f"{ours}.one"),
        *_convolution(rf"{theirs}\.branch2\.(\d)", f"{ours}.three.{{}}"),
        *_convolution(rf"{theirs}\.branch3\.(\d)", f"{ours}.five.{{}}"),
        *_convolution(rf"{theirs}\.branch4\.1", f"{ours}.pool.1"),
    )


TORCHVISION = (
    *_convolution(r"conv(\d)", "stem.conv{}"),
    *(
        rule
        for i, (number, letters) in enumerate(_MODULES)
        for j, letter in enumerate(letters)
        for rule in _module(f"inception{number}{letter}", f"layers.{i}.{j}")
    ),
    Rule(r"aux(\d)\.conv\.conv\.", "auxiliary.{}.conv.conv.", -1),
    Rule(r"aux(\d)\.conv\.bn\.", "auxiliary.{}.conv.norm.", -1),
    Rule(r"aux(\d)\.fc1\.", "auxiliary.{}.hidden.", -1),
    Rule(r"aux(\d)\.fc2\.", "auxiliary.{}.classifier.", -1),
    Rule(r"fc\.", "classifier."),
)
