"""Are torchvision's weights read exactly, although its batch norms have another epsilon?"""

from __future__ import annotations

import torch
from references import noise
from torch import nn

from linne.nets.translate.mobilenet_v3 import TORCHVISION


def test_a_channel_that_never_changes_is_read_from_torchvision() -> None:
    """Torchvision's third network adds 1e-3 to variances, not 1e-5: it is most of the sum where they are nearly 0."""
    torch.manual_seed(0)
    theirs = nn.BatchNorm2d(5, eps=1e-3)
    ours = nn.BatchNorm2d(5)
    theirs.running_var.copy_(torch.tensor([0.0, 1e-9, 1e-5, 1e-2, 4.0]))
    layout = next(rule.layout for rule in TORCHVISION if rule.pattern.endswith("running_var"))
    ours.load_state_dict({**theirs.state_dict(), "running_var": layout(theirs.running_var)})
    x = noise(2, 5, 3, 3)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-5, atol=0)
