"""Hidden manifolds: contrastive encoders of a circle, torus or sphere against eigenfunctions of the kernel of pairs."""
