"""A real sentence encoder, measured with the quantities of the theory: norm, variance, similarities by layer."""

from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.norm_and_variance.encoder_configuration import PUBLISHED, EncoderConfiguration, check


def _load_comparison():
    from experiments.norm_and_variance.encoder_comparison import COMPARISON

    return COMPARISON


def _predict(configuration: EncoderConfiguration):
    from experiments.norm_and_variance.encoder_comparison import predict

    return predict(configuration)


def derive(dataset, plan):
    """Add the text of the tokens, and the published curves of an encoder of this size with their source."""
    from experiments.norm_and_variance.encoder_configuration import load_subject

    subjects = [load_subject(cell.configuration) for cell in plan.cells]
    sizes = {(subject.spec.n_layers, subject.spec.dim) for subject in subjects}
    is_published = len(sizes) == 1 and all(subject.folder for subject in subjects)
    corpora = [subject.corpus for subject in subjects]
    texts = {tuple(corpus.pieces.tokens[i] for i in corpus.groups.tokens[corpus.groups.words]) for corpus in corpora}
    if len(texts) == 1:
        dataset = dataset.assign_coords(token_text=("token", [str(text) for text in texts.pop()]))
    if is_published and (published := PUBLISHED.get(sizes.pop())) is not None:
        curves = {f"{name}_published": ("layer", list(curve)) for name, curve in published.curves.items()}
        dataset = dataset.assign(curves).assign_attrs(published=published.source)
    return dataset


REAL_ENCODER = Phenomenon(
    name="real-encoder",
    part_of="norm-and-variance",
    configuration=EncoderConfiguration,
    check_theory=check,
    predict=_predict,
    load_comparison=_load_comparison,
    figures=("norm_and_variance.encoder",),
)

EXPERIMENT = Experiment(
    name="real-encoder",
    summary="norm, variance and similarities of the tokens of a real sentence encoder, by layer (needs --model DIR)",
    regimes=(Regime(name="encoder", summary="any BERT-type encoder on any corpus", quick=EncoderConfiguration()),),
    quick_time="1 min",
    phenomenon=REAL_ENCODER,
    derive=derive,
    needs=("model",),
)
