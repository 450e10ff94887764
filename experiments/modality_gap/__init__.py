"""The modality gap: two contrastive encoders against the predicted threshold, branch and conserved product."""
