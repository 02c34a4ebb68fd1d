"""The papers, each with its idea: the story of the lineage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paper:
    """One step of the lineage.

    Attributes
    ----------
    name : str
        Of the network, as the field spells it.
    year : int
        When the paper was first made public.
    title : str
    arxiv : str
        Its number there; '' for what is not there.
    idea : str
        What was new.
    changed : str
        What the field did differently afterwards.
    """

    name: str
    year: int
    title: str
    arxiv: str
    idea: str
    changed: str


PAPERS: dict[str, Paper] = {
    "lenet5": Paper(
        "LeNet-5",
        1998,
        "Gradient-Based Learning Applied to Document Recognition",
        "",
        "Filters with shared weights are learned from pixels by gradient descent, and subsampled maps forget where exactly a stroke lay.",
        "Features are learned, not drawn up by hand: convolution, subsampling, then dense layers became the plan of every network up to VGG.",
    ),
    "alexnet": Paper(
        "AlexNet",
        2012,
        "ImageNet Classification with Deep Convolutional Neural Networks",
        "",
        "LeNet's plan with 60 million parameters, ReLU, dropout and augmentation, on two GPUs that share some of their maps.",
        "It won ImageNet by ten points in top-5 error; within a year vision research had turned to learned features and GPUs.",
    ),
    "alexnet_single": Paper(
        "AlexNet, one tower",
        2014,
        "One weird trick for parallelizing convolutional neural networks",
        "1404.5997",
        "AlexNet without its two towers: the batch is split between GPUs in the convolutions, the model in the dense layers.",
        "This form is what libraries ship as AlexNet; splitting the batch became the usual way to train.",
    ),
    "vgg": Paper(
        "VGG",
        2014,
        "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "1409.1556",
        "Nothing but 3x3 convolutions, in depth: three of them see as far as one 7x7, with fewer weights and more non-linearities.",
        "Depth and small filters became the rule; its features were reused for almost everything else.",
    ),
    "googlenet": Paper(
        "GoogLeNet",
        2014,
        "Going Deeper with Convolutions",
        "1409.4842",
        "Each module filters at three scales at once, after 1x1 convolutions that make this affordable; the mean over places replaces the dense layers.",
        "It showed that accuracy need not cost parameters: about 7 million, where VGG-16 has 138.",
    ),
    "inception_v3": Paper(
        "Inception-v3",
        2015,
        "Rethinking the Inception Architecture for Computer Vision",
        "1512.00567",
        "Large filters become chains of small and of one-dimensional ones; batch norm throughout, labels are smoothed.",
        "Factorised convolutions and label smoothing stayed.",
    ),
    "resnet": Paper(
        "ResNet",
        2015,
        "Deep Residual Learning for Image Recognition",
        "1512.03385",
        "Blocks learn what to add to their input, so that a deeper network can be trained to be better, and not worse, than a shallower one.",
        "152 layers instead of 19; nearly every network since adds its blocks to their input.",
    ),
    "preact_resnet": Paper(
        "Pre-activation ResNet",
        2016,
        "Identity Mappings in Deep Residual Networks",
        "1603.05027",
        "Norm and ReLU come before each convolution, so that nothing but additions lies on the way from the first block to the last.",
        "1001 layers train; transformers took the order over as pre-norm.",
    ),
    "wide_resnet": Paper(
        "Wide ResNet",
        2016,
        "Wide Residual Networks",
        "1605.07146",
        "Fewer and wider blocks learn as much as a thousand thin ones, and train several times faster.",
        "Width became the second thing to scale.",
    ),
    "resnext": Paper(
        "ResNeXt",
        2016,
        "Aggregated Residual Transformations for Deep Neural Networks",
        "1611.05431",
        "A block's 3x3 convolution is split into 32 groups: many thin paths at the cost of one thick one.",
        "The number of groups became a third thing to scale, beside depth and width; ConvNeXt takes it to one channel a group.",
    ),
    "mobilenet_v1": Paper(
        "MobileNetV1",
        2017,
        "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
        "1704.04861",
        "A convolution in two steps: filter each channel alone, then mix channels at each place, for an eighth of the multiply-adds.",
        "Recognition moved onto phones; depthwise separable convolutions are in every small network since.",
    ),
    "mobilenet_v2": Paper(
        "MobileNetV2",
        2018,
        "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        "1801.04381",
        "Blocks are wide inside and narrow between: expand, filter depthwise, project without a non-linearity, add.",
        "The inverted residual is the block of MobileNetV3 and V4, MnasNet and EfficientNet.",
    ),
    "mobilenet_v3": Paper(
        "MobileNetV3",
        2019,
        "Searching for MobileNetV3",
        "1905.02244",
        "The inverted residual, laid out by a search for latency on phones, with squeeze-and-excitation, hard swish and a cheaper head.",
        "Architectures are tuned for measured latency on the target.",
    ),
    "efficientnet": Paper(
        "EfficientNet",
        2019,
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "1905.11946",
        "Depth, width and resolution are scaled together, from one searched baseline.",
        "84.3 % on ImageNet with an eighth of the parameters of the best before it.",
    ),
    "efficientnet_lite": Paper(
        "EfficientNet-Lite",
        2020,
        "EfficientNet-Lite (release in the authors' repository)",
        "",
        "EfficientNet without squeeze-and-excitation and with ReLU6: what integer arithmetic on phones does well.",
        "Networks are drawn with their quantisation in mind.",
    ),
    "vit": Paper(
        "ViT",
        2020,
        "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        "2010.11929",
        "An image is a sequence of 16x16 patches, read by the transformer of natural language.",
        "With enough data convolution is not needed; vision and language share one architecture since.",
    ),
    "deit": Paper(
        "DeiT",
        2020,
        "Training data-efficient image transformers & distillation through attention",
        "2012.12877",
        "ViT trained on ImageNet alone, by strong augmentation and by a second token that learns from a convolutional teacher.",
        "Transformers no longer need a private data set; its recipe is the one in use.",
    ),
    "swin": Paper(
        "Swin Transformer",
        2021,
        "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows",
        "2103.14030",
        "Attention within windows that shift by half from block to block, on maps that shrink from stage to stage as in ResNet.",
        "Cost grows with pixels, not with their square: transformers for detection and segmentation.",
    ),
    "efficientnet_v2": Paper(
        "EfficientNetV2",
        2021,
        "EfficientNetV2: Smaller Models and Faster Training",
        "2104.00298",
        "Early blocks use plain 3x3 convolutions, which accelerators run faster than depthwise ones; images and augmentation grow during training.",
        "Time to train, not multiply-adds, is what is optimised.",
    ),
    "levit": Paper(
        "LeViT",
        2021,
        "LeViT: a Vision Transformer in ConvNet's Clothing for Faster Inference",
        "2104.01136",
        "A transformer behind four strided convolutions, with batch norm, learned attention biases and maps that shrink by attention.",
        "Transformers compete with convolutional networks in latency on CPUs.",
    ),
    "coatnet": Paper(
        "CoAtNet",
        2021,
        "CoAtNet: Marrying Convolution and Attention for All Data Sizes",
        "2106.04803",
        "Two stages of inverted residuals, then two of attention with relative positions.",
        "Convolution first and attention last is how hybrids are built.",
    ),
    "mobilevit": Paper(
        "MobileViT",
        2021,
        "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision Transformer",
        "2110.02178",
        "A transformer as a convolution: it relates the same place of all patches, so that maps keep their two dimensions.",
        "Attention in networks of a few million parameters.",
    ),
    "swin_v2": Paper(
        "Swin Transformer V2",
        2021,
        "Swin Transformer V2: Scaling Up Capacity and Resolution",
        "2111.09883",
        "Norm after each branch, attention by cosine, and position biases computed from log-spaced coordinates by a small network.",
        "Windowed transformers of 3 billion parameters, and weights that move between resolutions.",
    ),
    "convnext": Paper(
        "ConvNeXt",
        2022,
        "A ConvNet for the 2020s",
        "2201.03545",
        "ResNet, modernised step by step until it looks like Swin, and still convolutional: 7x7 depthwise, layer norm, GELU.",
        "Much of the transformers' lead was training and detail, not attention.",
    ),
    "maxvit": Paper(
        "MaxViT",
        2022,
        "MaxViT: Multi-Axis Vision Transformer",
        "2204.01697",
        "Each block convolves, then attends within windows, then over a grid that spans the image.",
        "Global attention at linear cost, in every stage.",
    ),
    "convnext_v2": Paper(
        "ConvNeXt V2",
        2023,
        "ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders",
        "2301.00808",
        "Global response normalisation makes channels compete, which lets a ConvNeXt learn from masked images.",
        "Self-supervised pretraining works for convolutional networks too, down to 4 million parameters.",
    ),
    "fastvit": Paper(
        "FastViT",
        2023,
        "FastViT: A Fast Hybrid Vision Transformer using Structural Reparameterization",
        "2303.14189",
        "Branches that help training are folded into single convolutions afterwards; tokens are mixed by convolution, by attention only in the last stage.",
        "What is trained and what is shipped are two forms of one function.",
    ),
    "cifarnet": Paper(
        "CifarNet",
        2024,
        "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
        "2404.00498",
        "Fixed filters whiten patches, convolutions begin as the identity, and each image is mirrored in every other epoch.",
        "A training run takes seconds, so that a change of method is judged by hundreds of runs instead of one.",
    ),
    "mobilenet_v4": Paper(
        "MobileNetV4",
        2024,
        "MobileNetV4: Universal Models for the Mobile Ecosystem",
        "2404.10518",
        "One block that can be an inverted residual, a ConvNeXt block or a feed-forward layer, laid out by search for many phones at once.",
        "One network near the optimum on CPUs, GPUs and accelerators alike.",
    ),
}
