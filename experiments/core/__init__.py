"""Code shared by all experiments: experiments, phenomena, configurations, axes, sweeps and their datasets."""
