"""Predictions of learned representations: plain numbers and arrays in, float64 arrays out.

There is one package per phenomenon. Its `predict` returns the minimiser of a risk, or what gradient descent learns
(`feature_contamination`, deep linear networks in `hierarchy`). `optimality` bounds how far any network is from the
minimum. `checks`, `frames` and `lazy` are shared by all packages. Each package's docstring defines its terms; the
terms of `feature_collapse` and `neural_collapse` are defined here.

Vocabulary, with the symbols used in the formulas of this package:

* *concept* (n_c of them) and *word* (n_w = n_c s_c): word (a, b) is the b-th of the s_c words of concept a, and has
  index a * s_c + b.
* *latents*: K sequences of L concepts z_1 .. z_K, one for each class. *Saturated*: all n_c^L of them are classes.
  kappa = K / n_c^L is the share of all latents that are classes.
* *sentence* of class k: at position l the word (z_kl, b), with b drawn from the *word frequency* mu.
* *embeddings* W (n_w, d) and *classifier* U (K, L, d): the logit of class k is sum_l <u_kl, w_{x_l}>; *LayerNorm*,
  where there is one, acts on each embedding first and has no parameters, so that its output has norm sqrt(d). In
  `neural_collapse`, as in its literature, W is the classifier and H are the features.
* *weight decay* lam: *risk* (nats) = cross-entropy + lam/2 (|W|^2 + |U|^2); under LayerNorm only U is penalised.
* *label noise* eps and *word noise* delta: the probabilities that a label, or the word at a position, is replaced by a
  uniform draw; see `feature_collapse.noise`.
* *equiangular frame* (a simplex): unit vectors that sum to zero, all at cosine -1/(n_c - 1).
* eta = n_c / (n_c - 1).
* *margin* y = eta c r >= 0: how far one position raises the logit of the correct class above that of a class which
  differs there, with r the norm of the embedding and c that of the classifier vector.
* *gain* g(y) = log(1 + (n_c - 1) e^{-y}): the cross-entropy (nats) of classifying the concept at one position.
"""
