"""All claims, in groups that can be checked separately."""

from collections.abc import Callable, Iterable, Iterator

from experiments.registry import load_attribute
from experiments.verification.claim import FAIL, Claim
from simlab.validation import check_choice

# The function that checks each group of claims, as "module:function".
GROUPS = {
    "types": "experiments.feature_collapse.claims.collapse_types:check_types",
    "zero-threshold": "experiments.feature_collapse.claims.threshold:check_threshold",
    "global-optimality": "experiments.feature_collapse.claims.optimality:check_optimality",
    "curvature": "experiments.feature_collapse.claims.curvature:check_curvature",
    "reduction": "experiments.feature_collapse.claims.reduction:check_reduction",
    "integral": "experiments.feature_collapse.claims.integral:check_integral",
    "extensions": "experiments.feature_collapse.claims.extensions:check_extensions",
    "neural-collapse": "experiments.neural_collapse.claims.class_means:check_neural_collapse",
    "factor-collapse": "experiments.neural_collapse.claims.factor_collapse:check_factor_collapse",
    "superposition": "experiments.superposition.claims.suite:check_superposition",
    "hierarchy": "experiments.hierarchy.claims.suite:check_hierarchy",
    "feature-contamination": "experiments.feature_contamination.claims.suite:check_feature_contamination",
    "modality-gap": "experiments.modality_gap.claims.suite:check_modality_gap",
    "contrastive": "experiments.verification.contrastive:check_contrastive",
    "norm-and-variance": "experiments.norm_and_variance.claims.suite:check_norm_and_variance",
    "contextual-embeddings": "experiments.contextual_embeddings.claims.suite:check_contextual_embeddings",
}


def choose_groups(names: Iterable[str]) -> list[str]:
    """Return the named groups, or all groups if none is named; raise ``ValueError`` for an unknown name."""
    return [check_choice("name", name, GROUPS) for name in names] or list(GROUPS)


def verify(groups: Iterable[str], on_claim: Callable[[Claim], None] = lambda claim: None) -> list[Claim]:
    """Check the claims of some groups.

    Args:
        groups: from :func:`choose_groups`.
        on_claim: called with each claim once its status is known.

    Returns:
        The claims in their order. If a solver does not converge, its claim fails; no claim is omitted. JAX has the
        precision settings of a run, independent of the environment.
    """
    from simlab.runtime.settings import precision_of  # imports JAX, which would delay the command line

    claims = []
    with precision_of("float32"):  # checks in double precision enable it themselves
        for claim in _check(groups):
            claims.append(claim)
            on_claim(claim)
    return claims


def any_failed(claims: Iterable[Claim]) -> bool:
    """Return whether any claim failed; one that is not applicable has not failed."""
    return any(claim.status == FAIL for claim in claims)


def _check(groups: Iterable[str]) -> Iterator[Claim]:
    for group in groups:
        yield from load_attribute(GROUPS[group])()
