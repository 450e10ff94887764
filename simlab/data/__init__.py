"""How a task's draws become batches: a fixed sample, fresh examples, the population."""
