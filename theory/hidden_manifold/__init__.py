"""Hidden manifolds: contrastive encoders of high-dimensional observations of a circle, a torus or a sphere.

* `spectra`: eigenvalues of the kernels of positive pairs, in closed form.
* `grids`: their eigenfunctions on finitely many points.
* `prediction`: the spectral loss learns the leading eigenfunctions (HaoChen et al., 2021).
* `sphere_contrast`: InfoNCE learns the sphere up to a rotation (Zimmermann et al., 2021).
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.hidden_manifold.grids import Eigenbasis, ring_basis, sphere_basis, spiral_points, torus_basis
    from theory.hidden_manifold.prediction import (
        DIMENSIONS,
        MANIFOLDS,
        GridPrediction,
        LinearFit,
        ManifoldPrediction,
        check_cut,
        check_task,
        linear_fit,
        predict,
        predict_grid,
    )
    from theory.hidden_manifold.spectra import (
        SUPPORTS,
        Spectrum,
        is_cut,
        ring_eigenvalues,
        ring_modes,
        sphere_eigenvalue,
        sphere_modes,
        torus_modes,
    )
    from theory.hidden_manifold.sphere_contrast import (
        SphereContrast,
        batch_correction,
        least_loss,
        predict_contrast,
    )

__all__ = [
    "DIMENSIONS",
    "MANIFOLDS",
    "SUPPORTS",
    "Eigenbasis",
    "GridPrediction",
    "LinearFit",
    "ManifoldPrediction",
    "Spectrum",
    "SphereContrast",
    "batch_correction",
    "check_cut",
    "check_task",
    "is_cut",
    "least_loss",
    "linear_fit",
    "predict",
    "predict_contrast",
    "predict_grid",
    "ring_basis",
    "ring_eigenvalues",
    "ring_modes",
    "sphere_basis",
    "sphere_eigenvalue",
    "sphere_modes",
    "spiral_points",
    "torus_basis",
    "torus_modes",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "grids": ("Eigenbasis", "ring_basis", "sphere_basis", "spiral_points", "torus_basis"),
        "prediction": (
            "DIMENSIONS",
            "MANIFOLDS",
            "GridPrediction",
            "LinearFit",
            "ManifoldPrediction",
            "check_cut",
            "check_task",
            "linear_fit",
            "predict",
            "predict_grid",
        ),
        "spectra": (
            "SUPPORTS",
            "Spectrum",
            "is_cut",
            "ring_eigenvalues",
            "ring_modes",
            "sphere_eigenvalue",
            "sphere_modes",
            "torus_modes",
        ),
        "sphere_contrast": ("SphereContrast", "batch_correction", "least_loss", "predict_contrast"),
    },
)
