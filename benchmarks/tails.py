"""How deep and how long to train on stored activations: validation accuracy by stage and epochs.

The test set takes no part. Prints a table; docs/rooms/fit.md draws on it.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from linne.embed.embedding import activations, embed
from linne.fit.optimise import Settings, Trainer
from linne.fit.probe import fit_probe
from linne.fit.sources import CachedActivations
from linne.fit.tail import Tail
from linne.fit.train import train
from linne.records.index import TRAIN, VALIDATION
from linne.records.places import user_cache
from linne.records.progress import Silent
from linne.road.look import gather, inspect
from linne.road.training import install, on_arrays
from linne.split.assign import make_split

EPOCHS = (1, 3, 6)
DEEPEST = 3
SEEDS = (0, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", type=Path)
    arguments = parser.parse_args()
    material = gather(arguments.photos, arguments.weights, None, 0, Silent())
    index, network, cache = material.index, material.choice.network, user_cache()
    assert material.backbone is not None
    embedding = embed(index, material.backbone, cache, Silent())
    split = make_split(index, inspect(index, embedding, 0, Silent()).groups, embedding.passed.readable, 0)
    rows, held = split.rows(TRAIN), split.rows(VALIDATION)
    labels = index.label.astype(np.int64)
    probe = fit_probe(embedding.features[rows], labels[rows], embedding.features[held], labels[held])
    network.replace_head(len(index.labels))
    install(network, probe)
    print(
        f"probe: {probe.accuracy:.3f} of {len(held)} validation images; "
        f"last epoch's accuracy, mean of {len(SEEDS)} seeds"
    )
    print("trained stages  " + "".join(f"{epochs:>3} epochs" for epochs in EPOCHS) + "   s")
    stages = len(network.stages())
    for stage in range(stages - 1, stages - 1 - DEEPEST, -1):
        embed(index, material.backbone, cache, Silent(), stage)
        values = {
            name: activations(material.backbone, stage, embedding.passed.digest[r], cache)
            for name, r in (("train", rows), ("held", held))
        }
        means, seconds, trained = [], 0.0, 0
        for epochs in EPOCHS:
            scores = []
            for seed in SEEDS:
                torch.manual_seed(seed)
                tail = Tail(copy.deepcopy(network), stage)
                trainer = Trainer(
                    tail, Settings(1e-3, 0.05, 0.1, "bfloat16", True), torch.device("cpu"), material.choice.pixels
                )
                source = CachedActivations(values["train"], labels[rows], 64, seed)
                with tempfile.TemporaryDirectory() as folder:
                    start = time.perf_counter()
                    outcome = train(
                        trainer,
                        source,
                        epochs,
                        on_arrays(values["held"]),
                        labels[held],
                        None,
                        Path(folder, "history"),
                        lambda: None,
                        Silent(),
                    )
                    seconds += time.perf_counter() - start
                trained += epochs
                scores.append(outcome.epochs[-1].accuracy)
            means.append(float(np.mean(scores)))
        print(
            f"last {stages - stage:<11}" + "".join(f"{mean:10.3f}" for mean in means) + f"{seconds / trained:10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
