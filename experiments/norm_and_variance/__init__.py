"""Norm of the mean and variance of contextual embeddings: theory, small networks and a real encoder.

To read the hidden states of an encoder::

    from experiments.norm_and_variance import EncoderConfiguration, load_subject

    subject = load_subject(EncoderConfiguration(model="untrained"))
    encoder = subject.encoder()
    for batch in subject.corpus.batches():
        hidden = encoder.hidden(batch.ids, batch.groups >= 0).tokens
"""

from theory.lazy import hand_on

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "encoder_configuration": ("EncoderConfiguration", "load_subject"),
        "sentences": ("SHIPPED", "read_corpus"),
    },
)
