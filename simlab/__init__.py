"""simlab: train networks on structured tasks and measure the representations that they learn.

The words used throughout:

task
    What is learned: a specification (:class:`simlab.tasks.sentence_task.SentenceTask`) and its sampler.
latents
    ``Int[K, L]``: the sequence of concepts that defines each of the ``K`` classes.
sentence
    ``Int[L]``: one word for each concept of a latent.
embeddings
    ``W``, ``Float[n_w, d]``: one vector per word.
classifier
    ``U``, ``Float[K, L, d]``: one vector per class and position.
weight decay
    ``lam``: coefficient of the L2 penalty ``lam/2 |.|^2`` of the risk.
risk
    Cross-entropy plus penalty, in nats.
member
    One training run of a sweep.

The package knows nothing of the theory that its results are held against (package ``theory``).
Submodules are imported by name, so that ``import simlab`` costs nothing.
"""

__version__ = "0.1.0"
