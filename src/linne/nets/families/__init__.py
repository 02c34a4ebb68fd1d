"""One file a family, in the order of `catalogue`: the paper, its blocks, a frozen config, the network."""
