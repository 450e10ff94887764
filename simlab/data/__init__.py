"""Sources of training data: a fixed sample, fresh examples, or the population."""
