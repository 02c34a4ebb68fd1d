"""Are losses and class weights those of torch, timm, scikit-learn and the papers?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import rel_entr, softmax
from sklearn.utils.class_weight import compute_class_weight
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
from timm.loss.class_weights import compute_class_weights

from linne.fit.class_weights import inverse_frequency, log_prior
from linne.fit.distillation import Distillation, soft
from linne.fit.losses import CrossEntropy, binary_cross_entropy

CLASSES, BATCH = 5, 12
COUNTS = torch.tensor([100, 40, 7, 2, 1])


def logits(seed: int = 0, scale: float = 3.0) -> torch.Tensor:
    return scale * torch.randn(BATCH, CLASSES, generator=torch.Generator().manual_seed(seed))


LABELS = torch.arange(BATCH) % CLASSES


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_is_torchs_and_timms(smoothing: float, weighted: bool) -> None:
    weights = inverse_frequency(COUNTS) if weighted else None
    found = CrossEntropy(smoothing, weights)(logits(), LABELS)
    expected = F.cross_entropy(logits(), LABELS, reduction="none", label_smoothing=smoothing)
    assert found.shape == (BATCH,)
    torch.testing.assert_close(found, expected if weights is None else expected * weights[LABELS])
    if not smoothing:
        torch.testing.assert_close(found, F.cross_entropy(logits(), LABELS, weights, reduction="none"))
    if not weighted:
        torch.testing.assert_close(found.mean(), LabelSmoothingCrossEntropy(smoothing)(logits(), LABELS))


def test_a_smoothed_label_keeps_its_class_however_rare_another_is() -> None:
    """Of images that are told apart without doubt the best answer is their own class, weighted or not."""
    counts = torch.tensor([5000, 5])
    for label in (0, 1):
        free = torch.zeros(1, 2, requires_grad=True)
        optimiser = torch.optim.LBFGS([free], max_iter=100)
        loss = CrossEntropy(0.1, inverse_frequency(counts) / inverse_frequency(counts)[label])

        def closure(free: torch.Tensor = free, loss: CrossEntropy = loss, label: int = label) -> torch.Tensor:
            free.grad = None
            value = loss(free, torch.tensor([label])).sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimiser.step(closure)  # type: ignore[no-untyped-call]
        torch.testing.assert_close(free.softmax(1)[0, label], torch.tensor(0.95), atol=1e-3, rtol=0)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mixed_labels_are_soft_targets(share: float) -> None:
    loss = CrossEntropy(0.1)
    found = share * loss(logits(), LABELS) + (1 - share) * loss(logits(), LABELS.roll(1, 0))
    one_hot = F.one_hot(LABELS, CLASSES).float()
    soft_targets = (share * one_hot + (1 - share) * one_hot.roll(1, 0)) * 0.9 + 0.1 / CLASSES
    torch.testing.assert_close(found.mean(), SoftTargetCrossEntropy()(logits(), soft_targets))


def test_weights_are_scikit_learns_and_timms_up_to_their_mean() -> None:
    labels = torch.arange(CLASSES).repeat_interleave(COUNTS).numpy()
    expected = compute_class_weight("balanced", classes=np.arange(CLASSES), y=labels)
    np.testing.assert_allclose(inverse_frequency(COUNTS), expected, rtol=1e-6)
    for counts in (COUNTS, torch.tensor([100, 40, 7, 2, 0])):
        images = int(counts.sum())
        found = inverse_frequency(counts)
        reference = compute_class_weights(counts, images, "inv_freq")[1]
        torch.testing.assert_close(found / found.mean(), reference)
        assert float((found * counts).sum() / images) == pytest.approx(1)
        assert found.dtype == torch.float32


def test_adjusted_logits_are_weighed_by_the_prior() -> None:
    """Equation 10 of Menon et al., as a ratio of sums."""
    prior = (COUNTS / COUNTS.sum()).double()
    for tau in (0.0, 0.5, 1.0):
        powers = logits().double().exp() * prior**tau
        expected = -(powers[torch.arange(BATCH), LABELS] / powers.sum(1)).log()
        found = CrossEntropy(added=log_prior(COUNTS, tau))(logits(), LABELS)
        torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-5)
    assert torch.isfinite(log_prior(torch.tensor([3, 0]))).all()


def test_adjusting_makes_the_best_answer_the_same_for_every_class() -> None:
    """Where inputs tell nothing, the lowest loss is at equal logits, however frequent classes are."""
    free = torch.zeros(CLASSES, requires_grad=True)
    labels = torch.arange(CLASSES).repeat_interleave(COUNTS)
    loss = CrossEntropy(added=log_prior(COUNTS))(free.expand(len(labels), -1), labels).mean()
    (gradient,) = torch.autograd.grad(loss, free)
    torch.testing.assert_close(gradient, torch.zeros(CLASSES), rtol=0, atol=1e-6)


def test_the_mean_over_a_batch_is_the_mean_of_its_slices() -> None:
    loss = CrossEntropy(0.1, inverse_frequency(COUNTS), log_prior(COUNTS)).on(torch.device("cpu"))
    whole = loss(logits(), LABELS).sum() / BATCH
    parts = sum(loss(one, label).sum() / BATCH for one, label in zip(logits().split(5), LABELS.split(5), strict=True))
    torch.testing.assert_close(whole, parts)


def targets() -> torch.Tensor:
    return (torch.rand(BATCH, CLASSES, generator=torch.Generator().manual_seed(1)) < 0.3).float()


def test_binary_cross_entropy_is_torchs() -> None:
    weights = torch.arange(1.0, CLASSES + 1)
    found = binary_cross_entropy(logits(), targets(), 0.0, weights)
    assert found.shape == (BATCH,)
    torch.testing.assert_close(found.mean(), torch.nn.BCEWithLogitsLoss(pos_weight=weights)(logits(), targets()))
    smooth = torch.where(targets() == 1, 0.9, 0.1)
    found = binary_cross_entropy(logits(), targets(), 0.2)
    torch.testing.assert_close(found.mean(), torch.nn.BCEWithLogitsLoss()(logits(), smooth))
    # What is smoothed weighs what the label does: the best answer to an absent one stays what smoothing says.
    each = torch.nn.BCEWithLogitsLoss(reduction="none")(logits(), smooth)
    found = binary_cross_entropy(logits(), targets(), 0.2, weights)
    torch.testing.assert_close(found, torch.where(targets() == 1, each * weights, each).mean(1))


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_soft_distillation_is_the_divergence_that_scipy_gives(temperature: float) -> None:
    student, teacher = logits(0), logits(1)
    of = [softmax(each.double().numpy() / temperature, axis=1) for each in (teacher, student)]
    expected = torch.from_numpy(rel_entr(*of).sum(1) * temperature**2).float()
    torch.testing.assert_close(soft(student, teacher, temperature), expected, rtol=1e-4, atol=1e-5)
    own = CrossEntropy()(student, LABELS)
    found = Distillation(0.7, temperature)(own, student, teacher)
    torch.testing.assert_close(found, 0.3 * own + 0.7 * expected, rtol=1e-4, atol=1e-5)


def test_hard_distillation_is_deits() -> None:
    """Half the cross entropy of the label, half that of the teacher's answer."""
    student, teacher = logits(0), logits(1)
    own = CrossEntropy(0.1)(student, LABELS)
    expected = (own + F.cross_entropy(student, teacher.argmax(1), reduction="none")) / 2
    torch.testing.assert_close(Distillation()(own, student, teacher), expected)
