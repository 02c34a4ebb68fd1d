"""One thread while several runs share the machine."""

import torch

torch.set_num_threads(1)
