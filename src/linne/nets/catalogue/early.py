"""From LeNet-5 to Inception-v3: networks without residual connections."""

from __future__ import annotations

from linne.nets.catalogue.row import HALF, LENET, LENET_1998, Entry, imagenet

# fmt: off
ROWS: dict[str, Entry] = {
    "lenet5": Entry("lenet5", {}, "lenet5", 61_706, 0.00041652, LENET, 10),
    "lenet5_1998": Entry("lenet5_1998", {}, "lenet5", 60_000, 0.00032568, LENET_1998, 10),
    "alexnet_2012": Entry("alexnet_2012", {}, "alexnet", 60_965_224, 0.724407, imagenet(227)),
    "alexnet": Entry("alexnet", {}, "alexnet_single", 61_100_840, 0.714188, imagenet(224), torchvision="alexnet"),
    "vgg11": Entry("vgg", {"depths": (1, 1, 2, 2, 2)}, "vgg", 132_863_336, 7.60909, imagenet(224), torchvision="vgg11", timm="vgg11"),
    "vgg11_bn": Entry("vgg", {"depths": (1, 1, 2, 2, 2), "norm": True}, "vgg", 132_868_840, 7.60909, imagenet(224), torchvision="vgg11_bn", timm="vgg11_bn"),
    "vgg13": Entry("vgg", {"depths": (2, 2, 2, 2, 2)}, "vgg", 133_047_848, 11.3085, imagenet(224), torchvision="vgg13", timm="vgg13"),
    "vgg13_bn": Entry("vgg", {"depths": (2, 2, 2, 2, 2), "norm": True}, "vgg", 133_053_736, 11.3085, imagenet(224), torchvision="vgg13_bn", timm="vgg13_bn"),
    "vgg16": Entry("vgg", {"depths": (2, 2, 3, 3, 3)}, "vgg", 138_357_544, 15.4703, imagenet(224), torchvision="vgg16", timm="vgg16"),
    "vgg16_bn": Entry("vgg", {"depths": (2, 2, 3, 3, 3), "norm": True}, "vgg", 138_365_992, 15.4703, imagenet(224), torchvision="vgg16_bn", timm="vgg16_bn"),
    "vgg19": Entry("vgg", {"depths": (2, 2, 4, 4, 4)}, "vgg", 143_667_240, 19.6321, imagenet(224), torchvision="vgg19", timm="vgg19"),
    "vgg19_bn": Entry("vgg", {"depths": (2, 2, 4, 4, 4), "norm": True}, "vgg", 143_678_248, 19.6321, imagenet(224), torchvision="vgg19_bn", timm="vgg19_bn"),
    "googlenet_2014": Entry("googlenet_2014", {}, "googlenet", 6_998_552, 1.58267, imagenet(224)),
    "googlenet_2014_aux": Entry("googlenet_2014", {"auxiliary": True}, "googlenet", 13_378_280, 1.58267, imagenet(224)),
    "googlenet": Entry("googlenet", {}, "googlenet", 6_624_904, 1.49838, imagenet(224, 0.875, "bilinear", HALF, HALF), torchvision="googlenet"),
    "googlenet_aux": Entry("googlenet", {"auxiliary": True}, "googlenet", 13_004_888, 1.49838, imagenet(224, 0.875, "bilinear", HALF, HALF), torchvision="googlenet"),
    "inception_v3": Entry("inception_v3", {}, "inception_v3", 23_834_568, 5.71322, imagenet(299, 0.874, "bilinear", HALF, HALF), torchvision="inception_v3", timm="inception_v3"),
    "inception_v3_aux": Entry("inception_v3", {"auxiliary": True}, "inception_v3", 27_161_264, 5.71322, imagenet(299, 0.874, "bilinear", HALF, HALF), torchvision="inception_v3"),
}
