"""Depthwise separable convolutions: MobileNet and EfficientNet."""

from __future__ import annotations

from linne.nets.catalogue.row import HALF, Entry, imagenet

# Widths for which nobody publishes weights for PyTorch are prepared as for the authors' own: to [-1, 1].
# fmt: off
ROWS: dict[str, Entry] = {
    "mobilenet_v1_025": Entry("mobilenet_v1", {"width": 0.25}, "mobilenet_v1", 470_072, 0.0410303, imagenet(224, 0.875, "bilinear", HALF, HALF)),
    "mobilenet_v1_050": Entry("mobilenet_v1", {"width": 0.5}, "mobilenet_v1", 1_331_592, 0.149497, imagenet(224, 0.875, "bilinear", HALF, HALF)),
    "mobilenet_v1_075": Entry("mobilenet_v1", {"width": 0.75}, "mobilenet_v1", 2_585_560, 0.3254, imagenet(224, 0.875, "bilinear", HALF, HALF)),
    "mobilenet_v1": Entry("mobilenet_v1", {"width": 1.0}, "mobilenet_v1", 4_231_976, 0.56874, imagenet(224, 0.875, "bicubic", HALF, HALF), timm="mobilenetv1_100"),
    "mobilenet_v2_035": Entry("mobilenet_v2", {"width": 0.35}, "mobilenet_v2", 1_677_128, 0.0592858, imagenet(224, 0.875, "bilinear", HALF, HALF), torchvision="mobilenet_v2", timm="mobilenetv2_035"),
    "mobilenet_v2_050": Entry("mobilenet_v2", {"width": 0.5}, "mobilenet_v2", 1_968_680, 0.0971318, imagenet(224, 0.875, "bicubic"), torchvision="mobilenet_v2", timm="mobilenetv2_050"),
    "mobilenet_v2_075": Entry("mobilenet_v2", {"width": 0.75}, "mobilenet_v2", 2_636_424, 0.20907, imagenet(224, 0.875, "bilinear", HALF, HALF), torchvision="mobilenet_v2", timm="mobilenetv2_075"),
    "mobilenet_v2": Entry("mobilenet_v2", {"width": 1.0}, "mobilenet_v2", 3_504_872, 0.300774, imagenet(224, 0.9655), torchvision="mobilenet_v2", timm="mobilenetv2_100"),
    "mobilenet_v2_140": Entry("mobilenet_v2", {"width": 1.4}, "mobilenet_v2", 6_108_776, 0.582196, imagenet(224, 0.875, "bicubic"), torchvision="mobilenet_v2", timm="mobilenetv2_140"),
    "mobilenet_v3_small_075": Entry("mobilenet_v3", {"size": "small", "width": 0.75}, "mobilenet_v3", 2_041_872, 0.0433993, imagenet(224, 0.875, "bicubic"), timm="mobilenetv3_small_075"),
    "mobilenet_v3_small": Entry("mobilenet_v3", {"size": "small", "width": 1.0}, "mobilenet_v3", 2_542_856, 0.0565104, imagenet(224), torchvision="mobilenet_v3_small", timm="mobilenetv3_small_100"),
    "mobilenet_v3_large_075": Entry("mobilenet_v3", {"size": "large", "width": 0.75}, "mobilenet_v3", 3_993_528, 0.154561, imagenet(224, 0.875, "bilinear", HALF, HALF), timm="mobilenetv3_large_075"),
    "mobilenet_v3_large": Entry("mobilenet_v3", {"size": "large", "width": 1.0}, "mobilenet_v3", 5_483_032, 0.21659, imagenet(224, 0.9655), torchvision="mobilenet_v3_large", timm="mobilenetv3_large_100"),
    "efficientnet_b0": Entry("efficientnet", {"width": 1.0, "depth": 1.0, "same_padding": False, "eps": 1e-5, "dropout": 0.2}, "efficientnet", 5_288_548, 0.385815, imagenet(224, 0.875, "bicubic"), torchvision="efficientnet_b0", timm="efficientnet_b0"),
    "tf_efficientnet_b0": Entry("efficientnet", {"width": 1.0, "depth": 1.0, "dropout": 0.2}, "efficientnet", 5_288_548, 0.385815, imagenet(224, 0.875, "bicubic"), timm="tf_efficientnet_b0"),
    "efficientnet_b1": Entry("efficientnet", {"width": 1.0, "depth": 1.1, "same_padding": False, "eps": 1e-5, "dropout": 0.2}, "efficientnet", 7_794_184, 0.686803, imagenet(240, 0.9411), torchvision="efficientnet_b1", timm="efficientnet_b1"),
    "tf_efficientnet_b1": Entry("efficientnet", {"width": 1.0, "depth": 1.1, "dropout": 0.2}, "efficientnet", 7_794_184, 0.686803, imagenet(240, 0.882, "bicubic"), timm="tf_efficientnet_b1"),
    "efficientnet_b2": Entry("efficientnet", {"width": 1.1, "depth": 1.2, "same_padding": False, "eps": 1e-5, "dropout": 0.3}, "efficientnet", 9_109_994, 0.993562, imagenet(260, 1, "bicubic"), torchvision="efficientnet_b2", timm="efficientnet_b2"),
    "tf_efficientnet_b2": Entry("efficientnet", {"width": 1.1, "depth": 1.2, "dropout": 0.3}, "efficientnet", 9_109_994, 0.993562, imagenet(260, 0.89, "bicubic"), timm="tf_efficientnet_b2"),
    "efficientnet_b3": Entry("efficientnet", {"width": 1.2, "depth": 1.4, "same_padding": False, "eps": 1e-5, "dropout": 0.3}, "efficientnet", 12_233_232, 1.82714, imagenet(300, 0.9375, "bicubic"), torchvision="efficientnet_b3", timm="efficientnet_b3"),
    "tf_efficientnet_b3": Entry("efficientnet", {"width": 1.2, "depth": 1.4, "dropout": 0.3}, "efficientnet", 12_233_232, 1.82714, imagenet(300, 0.904, "bicubic"), timm="tf_efficientnet_b3"),
    "efficientnet_b4": Entry("efficientnet", {"width": 1.4, "depth": 1.8, "same_padding": False, "eps": 1e-5, "dropout": 0.4}, "efficientnet", 19_341_616, 4.39377, imagenet(380, 0.9895, "bicubic"), torchvision="efficientnet_b4", timm="efficientnet_b4"),
    "tf_efficientnet_b4": Entry("efficientnet", {"width": 1.4, "depth": 1.8, "dropout": 0.4}, "efficientnet", 19_341_616, 4.39377, imagenet(380, 0.922, "bicubic"), timm="tf_efficientnet_b4"),
    # timm's efficientnet_b5 is another network: its norms have an eps of 1e-5, torchvision's of 1e-3 as the authors'.
    "efficientnet_b5": Entry("efficientnet", {"width": 1.6, "depth": 2.2, "same_padding": False, "eps": 1e-3, "dropout": 0.4}, "efficientnet", 30_389_784, 10.2664, imagenet(456, 1, "bicubic"), torchvision="efficientnet_b5"),
    "tf_efficientnet_b5": Entry("efficientnet", {"width": 1.6, "depth": 2.2, "dropout": 0.4}, "efficientnet", 30_389_784, 10.2664, imagenet(456, 0.934, "bicubic"), timm="tf_efficientnet_b5"),
    "efficientnet_b6": Entry("efficientnet", {"width": 1.8, "depth": 2.6, "same_padding": False, "eps": 1e-3, "dropout": 0.5}, "efficientnet", 43_040_704, 19.0676, imagenet(528, 1, "bicubic"), torchvision="efficientnet_b6"),
    "tf_efficientnet_b6": Entry("efficientnet", {"width": 1.8, "depth": 2.6, "dropout": 0.5}, "efficientnet", 43_040_704, 19.0676, imagenet(528, 0.942, "bicubic"), timm="tf_efficientnet_b6"),
    "efficientnet_b7": Entry("efficientnet", {"width": 2.0, "depth": 3.1, "same_padding": False, "eps": 1e-3, "dropout": 0.5}, "efficientnet", 66_347_960, 37.7459, imagenet(600, 1, "bicubic"), torchvision="efficientnet_b7"),
    "tf_efficientnet_b7": Entry("efficientnet", {"width": 2.0, "depth": 3.1, "dropout": 0.5}, "efficientnet", 66_347_960, 37.7459, imagenet(600, 0.949, "bicubic"), timm="tf_efficientnet_b7"),
    "efficientnet_lite0": Entry("efficientnet", {"width": 1.0, "depth": 1.0, "lite": True, "dropout": 0.2}, "efficientnet_lite", 4_652_008, 0.385188, imagenet(224, 0.875, "bicubic", HALF, HALF), timm="tf_efficientnet_lite0"),
    "efficientnet_lite1": Entry("efficientnet", {"width": 1.0, "depth": 1.1, "lite": True, "dropout": 0.2}, "efficientnet_lite", 5_416_680, 0.600185, imagenet(240, 0.882, "bicubic", HALF, HALF), timm="tf_efficientnet_lite1"),
    "efficientnet_lite2": Entry("efficientnet", {"width": 1.1, "depth": 1.2, "lite": True, "dropout": 0.3}, "efficientnet_lite", 6_092_072, 0.859736, imagenet(260, 0.89, "bicubic", HALF, HALF), timm="tf_efficientnet_lite2"),
    "efficientnet_lite3": Entry("efficientnet", {"width": 1.2, "depth": 1.4, "lite": True, "dropout": 0.3}, "efficientnet_lite", 8_197_096, 1.38332, imagenet(280, 0.904, "bilinear", HALF, HALF), timm="tf_efficientnet_lite3"),
    "efficientnet_lite4": Entry("efficientnet", {"width": 1.4, "depth": 1.8, "lite": True, "dropout": 0.3}, "efficientnet_lite", 13_006_568, 2.55303, imagenet(300, 0.92, "bilinear", HALF, HALF), timm="tf_efficientnet_lite4"),
    "efficientnet_v2_s": Entry("efficientnet_v2", {"stem": 24, "channels": (24, 48, 64, 128, 160, 256), "repeats": (2, 4, 4, 6, 9, 15), "same_padding": False, "dropout": 0.2}, "efficientnet_v2", 21_458_488, 8.36562, imagenet(384, 1), torchvision="efficientnet_v2_s"),
    "tf_efficientnet_v2_s": Entry("efficientnet_v2", {"stem": 24, "channels": (24, 48, 64, 128, 160, 256), "repeats": (2, 4, 4, 6, 9, 15), "dropout": 0.2}, "efficientnet_v2", 21_458_488, 8.36562, imagenet(384, 1, "bicubic", HALF, HALF), timm="tf_efficientnetv2_s"),
    "efficientnet_v2_m": Entry("efficientnet_v2", {"stem": 24, "channels": (24, 48, 80, 160, 176, 304, 512), "repeats": (3, 5, 5, 7, 14, 18, 5), "same_padding": False, "dropout": 0.3}, "efficientnet_v2", 54_139_356, 24.5825, imagenet(480, 1), torchvision="efficientnet_v2_m"),
    "tf_efficientnet_v2_m": Entry("efficientnet_v2", {"stem": 24, "channels": (24, 48, 80, 160, 176, 304, 512), "repeats": (3, 5, 5, 7, 14, 18, 5), "dropout": 0.3}, "efficientnet_v2", 54_139_356, 24.5825, imagenet(480, 1, "bicubic", HALF, HALF), timm="tf_efficientnetv2_m"),
    "efficientnet_v2_l": Entry("efficientnet_v2", {"stem": 32, "channels": (32, 64, 96, 192, 224, 384, 640), "repeats": (4, 7, 7, 10, 19, 25, 7), "same_padding": False, "dropout": 0.4}, "efficientnet_v2", 118_515_272, 56.0797, imagenet(480, 1, "bicubic", HALF, HALF), torchvision="efficientnet_v2_l"),
    "tf_efficientnet_v2_l": Entry("efficientnet_v2", {"stem": 32, "channels": (32, 64, 96, 192, 224, 384, 640), "repeats": (4, 7, 7, 10, 19, 25, 7), "dropout": 0.4}, "efficientnet_v2", 118_515_272, 56.0797, imagenet(480, 1, "bicubic", HALF, HALF), timm="tf_efficientnetv2_l"),
    "tf_efficientnet_v2_xl": Entry("efficientnet_v2", {"stem": 32, "channels": (32, 64, 96, 192, 256, 512, 640), "repeats": (4, 8, 8, 16, 24, 32, 8), "dropout": 0.4}, "efficientnet_v2", 208_119_808, 93.3535, imagenet(512, 1, "bicubic", HALF, HALF), timm="tf_efficientnetv2_xl"),
    "tf_efficientnet_v2_b0": Entry("efficientnet_v2", {"stem": 32, "channels": (16, 32, 48, 96, 112, 192), "repeats": (1, 2, 2, 3, 5, 8), "width": 1.0, "depth": 1.0, "dropout": 0.2}, "efficientnet_v2", 7_139_704, 0.718086, imagenet(224, 0.875, "bicubic"), timm="tf_efficientnetv2_b0"),
    "tf_efficientnet_v2_b1": Entry("efficientnet_v2", {"stem": 32, "channels": (16, 32, 48, 96, 112, 192), "repeats": (1, 2, 2, 3, 5, 8), "width": 1.0, "depth": 1.1, "dropout": 0.2}, "efficientnet_v2", 8_141_052, 1.19682, imagenet(240, 0.882, "bicubic"), timm="tf_efficientnetv2_b1"),
    "tf_efficientnet_v2_b2": Entry("efficientnet_v2", {"stem": 32, "channels": (16, 32, 48, 96, 112, 192), "repeats": (1, 2, 2, 3, 5, 8), "width": 1.1, "depth": 1.2, "dropout": 0.3}, "efficientnet_v2", 10_096_086, 1.69754, imagenet(260, 0.89, "bicubic"), timm="tf_efficientnetv2_b2"),
    "tf_efficientnet_v2_b3": Entry("efficientnet_v2", {"stem": 32, "channels": (16, 32, 48, 96, 112, 192), "repeats": (1, 2, 2, 3, 5, 8), "width": 1.2, "depth": 1.4, "dropout": 0.3}, "efficientnet_v2", 14_358_406, 3.01146, imagenet(300, 0.9, "bicubic", HALF, HALF), timm="tf_efficientnetv2_b3"),
    "mobilenet_v4_conv_small": Entry("mobilenet_v4", {"size": "small", "dropout": 0.3}, "mobilenet_v4", 3_774_024, 0.186006, imagenet(224, 0.875, "bicubic"), timm="mobilenetv4_conv_small"),
    "mobilenet_v4_conv_medium": Entry("mobilenet_v4", {"size": "medium"}, "mobilenet_v4", 9_715_512, 1.08024, imagenet(256, 0.95, "bicubic"), timm="mobilenetv4_conv_medium"),
    "mobilenet_v4_conv_large": Entry("mobilenet_v4", {"size": "large"}, "mobilenet_v4", 32_590_864, 6.37622, imagenet(384, 0.95, "bicubic"), timm="mobilenetv4_conv_large"),
}
