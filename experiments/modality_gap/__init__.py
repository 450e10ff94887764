"""The modality gap: two contrastive encoders held against the threshold, the branch and the conserved product."""
