"""Every variant of the paper, and ours: one table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from oscsynth.errors import CorpusError

from .models import LIGHT, ModelConfig, geometric
from .train import TrainingConfig

N_BINS = 2049


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the network is given, how its bottleneck is made, and how it is taught."""

    augmentation: str = "chroma"  # beside the magnitudes: none, difference or chroma
    bottleneck: str = "sigmoid"  # or leaky_relu
    skip: bool = True  # the note beside the latents too
    light: bool = False  # 512-256-128-64 instead of halving from 1024
    variational: bool = False  # the beta-VAE, without a penalty of large weights
    mixing: bool = False  # transposed mixing; silent bins come back; the learning rate falls at the end

    def model(self, n_latents: int, n_octaves: int = 0, n_bins: int = N_BINS) -> ModelConfig:
        """Return the network: 2, 3, 8 or any other number of latents."""
        return ModelConfig(
            n_bins=n_bins,
            n_latents=n_latents,
            n_octaves=n_octaves,
            widths=LIGHT if self.light else geometric(n_bins, n_latents),
            augmentation=self.augmentation,
            skip=self.skip,
            bottleneck=self.bottleneck,
            variational=self.variational,
            l2=0.0 if self.variational else 1e-7,
            revive=0.1 if self.mixing else 0.0,
        )

    def training(self, *, epochs: int | None = None, minutes: float | None = None, seed: int = 440) -> TrainingConfig:
        """Return the training: Adam at 5e-4, batches of 200, at most 300 epochs, the weights with the best validation error."""
        config = TrainingConfig(mixing=self.mixing, cooling=0.3 if self.mixing else 0.0, minutes=minutes, seed=seed)
        return config if epochs is None else replace(config, epochs=epochs)


CONFIGURATIONS: dict[str, Configuration] = {
    #                                augmentation  bottleneck    skip
    "plain": Configuration("none", "leaky_relu", skip=False),
    "difference": Configuration("difference", "leaky_relu", skip=False),
    "leaky": Configuration("chroma", "leaky_relu", skip=False),
    "leaky-skip": Configuration("chroma", "leaky_relu", skip=True),
    "sigmoid": Configuration("chroma", "sigmoid", skip=False),
    "paper": Configuration("chroma", "sigmoid", skip=True),
    "light": Configuration("chroma", "sigmoid", skip=True, light=True),
    "beta-vae": Configuration("chroma", "sigmoid", skip=True, variational=True),
    "mixing": Configuration("chroma", "sigmoid", skip=True, mixing=True),
}


def configuration(name: str) -> Configuration:
    """Return a row of the table.

    Raises
    ------
    CorpusError
        When there is none of that name.
    """
    if name not in CONFIGURATIONS:
        raise CorpusError(f"there is no training configuration {name!r}; there are {', '.join(CONFIGURATIONS)}")
    return CONFIGURATIONS[name]
