"""What is minimised: the contract of an objective, and the objectives."""
