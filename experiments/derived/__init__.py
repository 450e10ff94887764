"""What a single experiment predicts or measures beyond its phenomenon: each a function of dataset and plan."""
