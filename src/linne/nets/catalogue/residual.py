"""ResNet and what followed from it, down to what trains in seconds."""

from __future__ import annotations

from linne.nets.catalogue.row import CIFAR, Entry, imagenet

# fmt: off
ROWS: dict[str, Entry] = {
    "resnet18": Entry("resnet", {"depths": (2, 2, 2, 2), "bottleneck": False}, "resnet", 11_689_512, 1.81407, imagenet(224), torchvision="resnet18", timm="resnet18"),
    "resnet34": Entry("resnet", {"depths": (3, 4, 6, 3), "bottleneck": False}, "resnet", 21_797_672, 3.66376, imagenet(224), torchvision="resnet34", timm="resnet34"),
    "resnet50": Entry("resnet", {"depths": (3, 4, 6, 3)}, "resnet", 25_557_032, 4.08918, imagenet(224, 0.9655), torchvision="resnet50", timm="resnet50"),
    "resnet101": Entry("resnet", {"depths": (3, 4, 23, 3)}, "resnet", 44_549_160, 7.80141, imagenet(224, 0.9655), torchvision="resnet101", timm="resnet101"),
    "resnet152": Entry("resnet", {"depths": (3, 8, 36, 3)}, "resnet", 60_192_808, 11.5136, imagenet(224, 0.9655), torchvision="resnet152", timm="resnet152"),
    "resnet20_cifar": Entry("resnet_cifar", {"depth": 3}, "resnet", 269_722, 0.040551, CIFAR, 10),
    "resnet32_cifar": Entry("resnet_cifar", {"depth": 5}, "resnet", 464_154, 0.0688626, CIFAR, 10),
    "resnet44_cifar": Entry("resnet_cifar", {"depth": 7}, "resnet", 658_586, 0.0971741, CIFAR, 10),
    "resnet56_cifar": Entry("resnet_cifar", {"depth": 9}, "resnet", 853_018, 0.125486, CIFAR, 10),
    "resnet110_cifar": Entry("resnet_cifar", {"depth": 18}, "resnet", 1_727_962, 0.252888, CIFAR, 10),
    "resnet1202_cifar": Entry("resnet_cifar", {"depth": 200}, "resnet", 19_421_274, 2.82924, CIFAR, 10),
    "plain20_cifar": Entry("resnet_cifar", {"depth": 3, "shortcuts": False}, "resnet", 269_722, 0.040551, CIFAR, 10),
    "plain32_cifar": Entry("resnet_cifar", {"depth": 5, "shortcuts": False}, "resnet", 464_154, 0.0688626, CIFAR, 10),
    "plain44_cifar": Entry("resnet_cifar", {"depth": 7, "shortcuts": False}, "resnet", 658_586, 0.0971741, CIFAR, 10),
    "plain56_cifar": Entry("resnet_cifar", {"depth": 9, "shortcuts": False}, "resnet", 853_018, 0.125486, CIFAR, 10),
    "plain110_cifar": Entry("resnet_cifar", {"depth": 18, "shortcuts": False}, "resnet", 1_727_962, 0.252888, CIFAR, 10),
    "preact_resnet110_cifar": Entry("preact_resnet", {"depth": 18, "bottleneck": False}, "preact_resnet", 1_730_522, 0.25315, CIFAR, 10),
    "preact_resnet164_cifar": Entry("preact_resnet", {"depth": 18}, "preact_resnet", 1_703_258, 0.244501, CIFAR, 10),
    "preact_resnet1001_cifar": Entry("preact_resnet", {"depth": 111}, "preact_resnet", 10_327_706, 1.48785, CIFAR, 10),
    "cifarnet": Entry("cifarnet", {}, "cifarnet", 1_971_650, 0.118147, CIFAR, 10),
    "cifarnet_95": Entry("cifarnet", {"widths": (128, 384, 384)}, "cifarnet", 4_604_738, 0.301561, CIFAR, 10),
    "resnext50_32x4d": Entry("resnet", {"depths": (3, 4, 6, 3), "groups": 32, "group_width": 4}, "resnext", 25_028_904, 4.23048, imagenet(224, 0.9655), torchvision="resnext50_32x4d", timm="resnext50_32x4d"),
    "resnext101_32x4d": Entry("resnet", {"depths": (3, 4, 23, 3), "groups": 32, "group_width": 4}, "resnext", 44_177_704, 7.97, imagenet(224), timm="resnext101_32x4d"),
    "resnext101_64x4d": Entry("resnet", {"depths": (3, 4, 23, 3), "groups": 64, "group_width": 4}, "resnext", 83_455_272, 15.4603, imagenet(224, 0.9655), torchvision="resnext101_64x4d", timm="resnext101_64x4d"),
    "resnext101_32x8d": Entry("resnet", {"depths": (3, 4, 23, 3), "groups": 32, "group_width": 8}, "resnext", 88_791_336, 16.414, imagenet(224, 0.9655), torchvision="resnext101_32x8d", timm="resnext101_32x8d"),
    "wide_resnet50_2": Entry("resnet", {"depths": (3, 4, 6, 3), "group_width": 128}, "wide_resnet", 68_883_240, 11.398, imagenet(224, 0.9655), torchvision="wide_resnet50_2", timm="wide_resnet50_2"),
    "wide_resnet101_2": Entry("resnet", {"depths": (3, 4, 23, 3), "group_width": 128}, "wide_resnet", 126_886_696, 22.7531, imagenet(224, 0.9655), torchvision="wide_resnet101_2", timm="wide_resnet101_2"),
}
