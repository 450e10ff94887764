"""What the experiments on contextual embeddings add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=11,
    experiments={
        "token-collapse": "experiments.contextual_embeddings.token_collapse:EXPERIMENT",
        "pooling": "experiments.contextual_embeddings.pooling:EXPERIMENT",
        "spurious-contextualization": "experiments.contextual_embeddings.spurious_contextualization:EXPERIMENT",
        "context-at-initialisation": "experiments.contextual_embeddings.initial_context:EXPERIMENT",
        "contrastive-batch": "experiments.contextual_embeddings.class_vectors.contrastive_batch:EXPERIMENT",
        "contrastive-temperature": "experiments.contextual_embeddings.class_vectors.contrastive_temperature:EXPERIMENT",
        "class-imbalance": "experiments.contextual_embeddings.class_vectors.class_imbalance:EXPERIMENT",
    },
    phenomena={
        "contextual-embeddings": "experiments.contextual_embeddings.phenomenon:CONTEXTUAL_EMBEDDINGS",
        "context-at-initialisation": "experiments.contextual_embeddings.initial_context:CONTEXT_AT_INITIALISATION",
        "class-vectors": "experiments.contextual_embeddings.class_vectors.phenomenon:CLASS_VECTORS",
        "isotropy-time": "experiments.contextual_embeddings.class_vectors.isotropy_time:ISOTROPY_TIME",
    },
    predictors={
        "contextual-embeddings": "experiments.contextual_embeddings.predict_options:PREDICTOR",
    },
    claims={
        "contextual-embeddings": "experiments.contextual_embeddings.claims.suite:check_contextual_embeddings",
    },
    atlas=(
        Entry(
            name="contextual-embeddings",
            experiment="token-collapse",
            source="Xiao et al. 2023",
            predicts="similarities of words in context",
            arrays=("self_similarity",),
        ),
    ),
)
