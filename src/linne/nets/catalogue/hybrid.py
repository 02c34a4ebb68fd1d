"""Convolution and attention in one network."""

from __future__ import annotations

from linne.nets.catalogue.entry import HALF, ONE, ZERO, Entry, imagenet

# fmt: off
ROWS: dict[str, Entry] = {
    "vit_small_r26_32": Entry("vit_hybrid", {}, "vit", 36_431_912, 3.46385, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_small_r26_s32_224"),
    "vit_small_r26_32_384": Entry("vit_hybrid", {}, "vit", 36_468_392, 10.2636, imagenet(384, 1, "bicubic", HALF, HALF), timm="vit_small_r26_s32_384"),
    "vit_base_r50_16": Entry("vit_hybrid", {}, "vit", 98_659_112, 21.5354, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_base_r50_s16_224"),
    "vit_base_r50_16_384": Entry("vit_hybrid", {}, "vit", 98_950_952, 67.1558, imagenet(384, 1, "bicubic", HALF, HALF), timm="vit_base_r50_s16_384"),
    "vit_large_r50_32": Entry("vit_hybrid", {}, "vit", 328_994_856, 19.4133, imagenet(224, 0.9, "bicubic", HALF, HALF), timm="vit_large_r50_s32_224"),
    "coatnet_0": Entry("coatnet", {}, "coatnet", 25_036_820, 4.54651, imagenet(224), timm="coatnet_0_224"),
    "coatnet_0_rw": Entry("coatnet", {}, "coatnet", 27_435_562, 4.4063, imagenet(224, 0.95, "bicubic", HALF, HALF), timm="coatnet_0_rw_224"),
    "coatnet_1_rw": Entry("coatnet", {}, "coatnet", 41_721_502, 7.99216, imagenet(224, 0.95, "bicubic", HALF, HALF), timm="coatnet_1_rw_224"),
    "mobilevit_xxs": Entry("mobilevit", {}, "mobilevit", 1_272_024, 0.407364, imagenet(256, 0.9, "bicubic", ZERO, ONE), timm="mobilevit_xxs"),
    "mobilevit_xs": Entry("mobilevit", {}, "mobilevit", 2_317_848, 1.02591, imagenet(256, 0.9, "bicubic", ZERO, ONE), timm="mobilevit_xs"),
    "mobilevit_s": Entry("mobilevit", {}, "mobilevit", 5_578_632, 2.00083, imagenet(256, 0.9, "bicubic", ZERO, ONE), timm="mobilevit_s"),
    "levit_128s": Entry("levit", {}, "levit", 7_777_058, 0.304661, imagenet(224, 0.9, "bicubic"), timm="levit_128s"),
    "levit_128": Entry("levit", {}, "levit", 9_213_936, 0.405322, imagenet(224, 0.9, "bicubic"), timm="levit_128"),
    "levit_192": Entry("levit", {}, "levit", 10_947_069, 0.657022, imagenet(224, 0.9, "bicubic"), timm="levit_192"),
    "levit_256": Entry("levit", {}, "levit", 18_893_876, 1.12726, imagenet(224, 0.9, "bicubic"), timm="levit_256"),
    "levit_384": Entry("levit", {}, "levit", 39_128_836, 2.35179, imagenet(224, 0.9, "bicubic"), timm="levit_384"),
    "fastvit_t8": Entry("fastvit", {}, "fastvit", 4_026_232, 0.690149, imagenet(256, 0.9, "bicubic"), timm="fastvit_t8"),
    "fastvit_t12": Entry("fastvit", {}, "fastvit", 7_553_704, 1.39773, imagenet(256, 0.9, "bicubic"), timm="fastvit_t12"),
    "fastvit_s12": Entry("fastvit", {}, "fastvit", 9_473_576, 1.80038, imagenet(256, 0.9, "bicubic"), timm="fastvit_s12"),
    "fastvit_sa12": Entry("fastvit", {}, "fastvit", 11_580_968, 1.94394, imagenet(256, 0.9, "bicubic"), timm="fastvit_sa12"),
    "fastvit_sa24": Entry("fastvit", {}, "fastvit", 21_554_216, 3.76997, imagenet(256, 0.9, "bicubic"), timm="fastvit_sa24"),
    "maxvit_tiny": Entry("maxvit", {}, "maxvit", 30_916_528, 5.55184, imagenet(224, 0.95, "bicubic"), timm="maxvit_tiny_tf_224"),
    "maxvit_small": Entry("maxvit", {}, "maxvit", 68_927_956, 11.5891, imagenet(224, 0.95, "bicubic"), timm="maxvit_small_tf_224"),
}
