"""FastViT, as it is trained."""

from __future__ import annotations

from linne.nets.translate.rules import Rule

_DOWN = r"stages\.(\d)\.downsample\.proj\."
_BLOCK = r"stages\.(\d)\.blocks\.(\d+)\."


def _convolution(theirs: str, ours: str) -> tuple[Rule, Rule]:
    return Rule(rf"{theirs}\.conv\.", f"{ours}.conv."), Rule(rf"{theirs}\.bn\.", f"{ours}.norm.")


def _branches(theirs: str, ours: str) -> tuple[Rule, ...]:
    return (
        *_convolution(theirs + r"(?:conv_kxk\.0|large_conv)", ours + "large"),
        *_convolution(theirs + r"(?:conv_scale|small_conv)", ours + "small"),
        Rule(theirs + r"identity\.", ours + "identity."),
    )


TIMM = (
    *_branches(r"stem\.(\d)\.", "stem.{}.conv."),
    *_branches(_DOWN + r"0\.", "layers.{}.downsample.depthwise."),
    *_branches(_DOWN + r"1\.", "layers.{}.downsample.pointwise.conv."),
    Rule(r"stages\.(\d)\.pos_emb\.pos_enc\.", "layers.{}.positions.conv."),
    *_branches(_BLOCK + r"token_mixer\.mixer\.", "layers.{}.blocks.{}.mixer.branches."),
    Rule(_BLOCK + r"token_mixer\.norm\.identity\.", "layers.{}.blocks.{}.mixer.norm."),
    Rule(_BLOCK + r"token_mixer\.layer_scale\.gamma", "layers.{}.blocks.{}.mixer.layer_scale"),
    Rule(_BLOCK + r"norm\.", "layers.{}.blocks.{}.mixer.norm."),
    Rule(_BLOCK + r"token_mixer\.qkv\.", "layers.{}.blocks.{}.mixer.qkv."),
    Rule(_BLOCK + r"token_mixer\.proj\.", "layers.{}.blocks.{}.mixer.project."),
    Rule(_BLOCK + r"layer_scale_1\.gamma", "layers.{}.blocks.{}.mixer.layer_scale"),
    *_convolution(_BLOCK + r"mlp\.conv", "layers.{}.blocks.{}.mlp.depthwise"),
    Rule(_BLOCK + r"mlp\.fc1\.", "layers.{}.blocks.{}.mlp.widen."),
    Rule(_BLOCK + r"mlp\.fc2\.", "layers.{}.blocks.{}.mlp.narrow."),
    Rule(_BLOCK + r"layer_scale(?:_2)?\.gamma", "layers.{}.blocks.{}.layer_scale"),
    *_branches(r"final_conv\.", "last.conv."),
    Rule(r"final_conv\.se\.fc1\.", "last.squeeze.reduce."),
    Rule(r"final_conv\.se\.fc2\.", "last.squeeze.expand."),
    Rule(r"head\.fc\.", "classifier."),
)
