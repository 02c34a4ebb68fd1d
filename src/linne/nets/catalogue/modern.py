"""ConvNeXt, and transformers for images."""

from __future__ import annotations

from linne.nets.catalogue.row import HALF, Entry, imagenet

# fmt: off
ROWS: dict[str, Entry] = {
    "convnext_tiny": Entry("convnext", {"widths": (96, 192, 384, 768), "depths": (3, 3, 9, 3)}, "convnext", 28_589_128, 4.45553, imagenet(224, 0.949), torchvision="convnext_tiny", timm="convnext_tiny"),
    "convnext_small": Entry("convnext", {"widths": (96, 192, 384, 768), "depths": (3, 3, 27, 3)}, "convnext", 50_223_688, 8.68371, imagenet(224, 0.9739), torchvision="convnext_small", timm="convnext_small"),
    "convnext_base": Entry("convnext", {"widths": (128, 256, 512, 1024), "depths": (3, 3, 27, 3)}, "convnext", 88_591_464, 15.3547, imagenet(224, 0.9655), torchvision="convnext_base", timm="convnext_base"),
    "convnext_large": Entry("convnext", {"widths": (192, 384, 768, 1536), "depths": (3, 3, 27, 3)}, "convnext", 197_767_336, 34.3614, imagenet(224, 0.9655), torchvision="convnext_large", timm="convnext_large"),
    "convnext_xlarge": Entry("convnext", {"widths": (256, 512, 1024, 2048), "depths": (3, 3, 27, 3)}, "convnext", 350_196_968, 60.921, imagenet(224, 0.875, "bicubic"), timm="convnext_xlarge"),
    "convnext_v2_atto": Entry("convnext_v2", {"widths": (40, 80, 160, 320), "depths": (2, 2, 6, 2)}, "convnext_v2", 3_708_400, 0.547332, imagenet(224, 0.875, "bicubic"), timm="convnextv2_atto"),
    "convnext_v2_femto": Entry("convnext_v2", {"widths": (48, 96, 192, 384), "depths": (2, 2, 6, 2)}, "convnext_v2", 5_233_240, 0.77963, imagenet(224, 0.875, "bicubic"), timm="convnextv2_femto"),
    "convnext_v2_pico": Entry("convnext_v2", {"widths": (64, 128, 256, 512), "depths": (2, 2, 6, 2)}, "convnext_v2", 9_066_280, 1.36706, imagenet(224, 0.875, "bicubic"), timm="convnextv2_pico"),
    "convnext_v2_nano": Entry("convnext_v2", {"widths": (80, 160, 320, 640), "depths": (2, 2, 8, 2)}, "convnext_v2", 15_623_800, 2.44553, imagenet(224, 0.875, "bicubic"), timm="convnextv2_nano"),
    "convnext_v2_tiny": Entry("convnext_v2", {"widths": (96, 192, 384, 768), "depths": (3, 3, 9, 3)}, "convnext_v2", 28_635_496, 4.45553, imagenet(224, 0.875, "bicubic"), timm="convnextv2_tiny"),
    "convnext_v2_base": Entry("convnext_v2", {"widths": (128, 256, 512, 1024), "depths": (3, 3, 27, 3)}, "convnext_v2", 88_717_800, 15.3547, imagenet(224, 0.875, "bicubic"), timm="convnextv2_base"),
    "convnext_v2_large": Entry("convnext_v2", {"widths": (192, 384, 768, 1536), "depths": (3, 3, 27, 3)}, "convnext_v2", 197_956_840, 34.3614, imagenet(224, 0.875, "bicubic"), timm="convnextv2_large"),
    "vit_tiny_16": Entry("vit", {"width": 192, "depth": 12, "heads": 3}, "vit", 5_717_416, 1.25368, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_tiny_patch16_224"),
    "vit_small_16": Entry("vit", {"width": 384, "depth": 12, "heads": 6}, "vit", 22_050_664, 4.59888, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_small_patch16_224"),
    "vit_base_16": Entry("vit", {"width": 768, "depth": 12, "heads": 12}, "vit", 86_567_656, 17.5638, imagenet(224), torchvision="vit_b_16", timm="vit_base_patch16_224"),
    "vit_base_32": Entry("vit", {"width": 768, "depth": 12, "heads": 12, "patch": 32}, "vit", 88_224_232, 4.40919, imagenet(224), torchvision="vit_b_32", timm="vit_base_patch32_224"),
    "vit_large_16": Entry("vit", {"width": 1024, "depth": 24, "heads": 16}, "vit", 304_326_632, 61.5547, imagenet(224, 0.9256), torchvision="vit_l_16", timm="vit_large_patch16_224"),
    "vit_large_32": Entry("vit", {"width": 1024, "depth": 24, "heads": 16, "patch": 32}, "vit", 306_535_400, 15.3775, imagenet(224), torchvision="vit_l_32", timm="vit_large_patch32_224"),
    "deit_tiny": Entry("vit", {"width": 192, "depth": 12, "heads": 3}, "deit", 5_717_416, 1.25368, imagenet(224, 0.9, "bicubic"), timm="deit_tiny_patch16_224"),
    "deit_tiny_distilled": Entry("deit", {"width": 192, "depth": 12, "heads": 3}, "deit", 5_910_800, 1.261, imagenet(224, 0.9, "bicubic"), timm="deit_tiny_distilled_patch16_224"),
    "deit_small": Entry("vit", {"width": 384, "depth": 12, "heads": 6}, "deit", 22_050_664, 4.59888, imagenet(224, 0.9, "bicubic"), timm="deit_small_patch16_224"),
    "deit_small_distilled": Entry("deit", {"width": 384, "depth": 12, "heads": 6}, "deit", 22_436_432, 4.62414, imagenet(224, 0.9, "bicubic"), timm="deit_small_distilled_patch16_224"),
    "deit_base": Entry("vit", {"width": 768, "depth": 12, "heads": 12}, "deit", 86_567_656, 17.5638, imagenet(224, 0.9, "bicubic"), timm="deit_base_patch16_224"),
    "deit_base_distilled": Entry("deit", {"width": 768, "depth": 12, "heads": 12}, "deit", 87_338_192, 17.6568, imagenet(224, 0.9, "bicubic"), timm="deit_base_distilled_patch16_224"),
    "swin_tiny": Entry("swin", {"width": 96, "depths": (2, 2, 6, 2)}, "swin", 28_288_354, 4.49057, imagenet(224, 0.9655, "bicubic"), torchvision="swin_t", timm="swin_tiny_patch4_window7_224"),
    "swin_small": Entry("swin", {"width": 96, "depths": (2, 2, 18, 2)}, "swin", 49_606_258, 8.74088, imagenet(224, 0.9105, "bicubic"), torchvision="swin_s", timm="swin_small_patch4_window7_224"),
    "swin_base": Entry("swin", {"width": 128, "depths": (2, 2, 18, 2)}, "swin", 87_768_224, 15.4309, imagenet(224, 0.941, "bicubic"), torchvision="swin_b", timm="swin_base_patch4_window7_224"),
    "swin_large": Entry("swin", {"width": 192, "depths": (2, 2, 18, 2)}, "swin", 196_532_476, 34.4758, imagenet(224, 0.9, "bicubic"), timm="swin_large_patch4_window7_224"),
    "swin_v2_tiny": Entry("swin_v2", {"width": 96, "depths": (2, 2, 6, 2), "window": 8}, "swin_v2", 28_347_154, 5.93969, imagenet(256, 0.9, "bicubic"), torchvision="swin_v2_t", timm="swinv2_tiny_window8_256"),
    "swin_v2_tiny_w16": Entry("swin_v2", {"width": 96, "depths": (2, 2, 6, 2), "window": 16}, "swin_v2", 28_347_154, 6.66062, imagenet(256, 0.9, "bicubic"), timm="swinv2_tiny_window16_256"),
    "swin_v2_small": Entry("swin_v2", {"width": 96, "depths": (2, 2, 18, 2), "window": 8}, "swin_v2", 49_728_418, 11.5459, imagenet(256, 0.9, "bicubic"), torchvision="swin_v2_s", timm="swinv2_small_window8_256"),
    "swin_v2_base": Entry("swin_v2", {"width": 128, "depths": (2, 2, 18, 2), "window": 8}, "swin_v2", 87_918_816, 20.3251, imagenet(256, 0.9, "bicubic"), torchvision="swin_v2_b", timm="swinv2_base_window8_256"),
}
