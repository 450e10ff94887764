"""What all experiments share: experiments, phenomena, configurations, axes, sweeps and their datasets."""
