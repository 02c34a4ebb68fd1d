"""Convolution and attention in one network."""

from __future__ import annotations

from linne.nets.catalogue.row import HALF, ONE, ZERO, Entry, imagenet

# fmt: off
ROWS: dict[str, Entry] = {
    "vit_small_r26_32": Entry("vit_hybrid", {"layers": (2, 2, 2, 2), "width": 384, "depth": 12, "heads": 6}, "vit", 36_431_912, 3.46385, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_small_r26_s32_224"),
    "vit_small_r26_32_384": Entry("vit_hybrid", {"layers": (2, 2, 2, 2), "width": 384, "depth": 12, "heads": 6, "image_size": 384}, "vit", 36_468_392, 10.2636, imagenet(384, 1, "bicubic", HALF, HALF), timm="vit_small_r26_s32_384"),
    "vit_base_r50_16": Entry("vit_hybrid", {"layers": (3, 4, 9), "width": 768, "depth": 12, "heads": 12}, "vit", 98_659_112, 21.5354, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_base_r50_s16_224"),
    "vit_base_r50_16_384": Entry("vit_hybrid", {"layers": (3, 4, 9), "width": 768, "depth": 12, "heads": 12, "image_size": 384}, "vit", 98_950_952, 67.1558, imagenet(384, 1, "bicubic", HALF, HALF), timm="vit_base_r50_s16_384"),
    "vit_large_r50_32": Entry("vit_hybrid", {"layers": (3, 4, 6, 3), "width": 1024, "depth": 24, "heads": 16}, "vit", 328_994_856, 19.4133, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_large_r50_s32_224"),
    "coatnet_0": Entry("coatnet", {"depths": (2, 3, 5, 2)}, "coatnet", 25_036_820, 4.54651, imagenet(224), timm="coatnet_0_224"),
    "coatnet_0_rw": Entry("coatnet_rw", {"depths": (2, 3, 7, 2), "pooled": True}, "coatnet", 27_435_562, 4.4063, imagenet(224, 0.95, "bicubic", HALF, HALF), timm="coatnet_0_rw_224"),
    "coatnet_1_rw": Entry("coatnet_rw", {"depths": (2, 6, 14, 2), "pooled": False}, "coatnet", 41_721_502, 7.99216, imagenet(224, 0.95, "bicubic", HALF, HALF), timm="coatnet_1_rw_224"),
    "mobilevit_xxs": Entry("mobilevit", {"widths": (16, 24, 48, 64, 80), "token_widths": (64, 80, 96), "expansion": 2}, "mobilevit", 1_272_024, 0.407364, imagenet(256, 0.9, "bicubic", ZERO, ONE), timm="mobilevit_xxs"),
    "mobilevit_xs": Entry("mobilevit", {"widths": (32, 48, 64, 80, 96), "token_widths": (96, 120, 144), "expansion": 4}, "mobilevit", 2_317_848, 1.02591, imagenet(256, 0.9, "bicubic", ZERO, ONE), timm="mobilevit_xs"),
    "mobilevit_s": Entry("mobilevit", {"widths": (32, 64, 96, 128, 160), "token_widths": (144, 192, 240), "expansion": 4}, "mobilevit", 5_578_632, 2.00083, imagenet(256, 0.9, "bicubic", ZERO, ONE), timm="mobilevit_s"),
    "levit_128s": Entry("levit", {"widths": (128, 256, 384), "depths": (2, 3, 4), "heads": (4, 6, 8), "key_width": 16}, "levit", 7_777_058, 0.304661, imagenet(224, 0.9, "bicubic"), timm="levit_128s"),
    "levit_128": Entry("levit", {"widths": (128, 256, 384), "depths": (4, 4, 4), "heads": (4, 8, 12), "key_width": 16}, "levit", 9_213_936, 0.405322, imagenet(224, 0.9, "bicubic"), timm="levit_128"),
    "levit_192": Entry("levit", {"widths": (192, 288, 384), "depths": (4, 4, 4), "heads": (3, 5, 6), "key_width": 32}, "levit", 10_947_069, 0.657022, imagenet(224, 0.9, "bicubic"), timm="levit_192"),
    "levit_256": Entry("levit", {"widths": (256, 384, 512), "depths": (4, 4, 4), "heads": (4, 6, 8), "key_width": 32}, "levit", 18_893_876, 1.12726, imagenet(224, 0.9, "bicubic"), timm="levit_256"),
    "levit_384": Entry("levit", {"widths": (384, 512, 768), "depths": (4, 4, 4), "heads": (6, 9, 12), "key_width": 32}, "levit", 39_128_836, 2.35179, imagenet(224, 0.9, "bicubic"), timm="levit_384"),
    "fastvit_t8": Entry("fastvit", {"widths": (48, 96, 192, 384), "depths": (2, 2, 4, 2), "expansion": 3}, "fastvit", 4_026_232, 0.690149, imagenet(256, 0.9, "bicubic"), timm="fastvit_t8"),
    "fastvit_t12": Entry("fastvit", {"widths": (64, 128, 256, 512), "depths": (2, 2, 6, 2), "expansion": 3}, "fastvit", 7_553_704, 1.39773, imagenet(256, 0.9, "bicubic"), timm="fastvit_t12"),
    "fastvit_s12": Entry("fastvit", {"widths": (64, 128, 256, 512), "depths": (2, 2, 6, 2), "expansion": 4}, "fastvit", 9_473_576, 1.80038, imagenet(256, 0.9, "bicubic"), timm="fastvit_s12"),
    "fastvit_sa12": Entry("fastvit", {"widths": (64, 128, 256, 512), "depths": (2, 2, 6, 2), "expansion": 4, "attention": True}, "fastvit", 11_580_968, 1.94394, imagenet(256, 0.9, "bicubic"), timm="fastvit_sa12"),
    "fastvit_sa24": Entry("fastvit", {"widths": (64, 128, 256, 512), "depths": (4, 4, 12, 4), "expansion": 4, "attention": True}, "fastvit", 21_554_216, 3.76997, imagenet(256, 0.9, "bicubic"), timm="fastvit_sa24"),
    "maxvit_tiny": Entry("maxvit", {"widths": (64, 128, 256, 512)}, "maxvit", 30_916_528, 5.5452, imagenet(224, 0.95, "bicubic"), timm="maxvit_tiny_tf_224"),
    "maxvit_small": Entry("maxvit", {"widths": (96, 192, 384, 768)}, "maxvit", 68_927_956, 11.5792, imagenet(224, 0.95, "bicubic"), timm="maxvit_small_tf_224"),
}
