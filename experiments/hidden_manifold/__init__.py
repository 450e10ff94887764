"""Hidden manifolds: contrastive encoders of a circle, a torus or a sphere, held against the kernel of their pairs."""
