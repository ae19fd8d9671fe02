"""One frozen dataclass, its presets, and flags made from its fields; imports no TensorFlow."""

import dataclasses
import math

from absl import flags

from tfgan.errors import ConfigError, quoted, shown

# The names of the tables in `models`, `losses` and `images`, which import TensorFlow.
ARCHITECTURES = ('mlp', 'hybrid', 'conv', 'pen', 'pen_gru', 'recurrent', 'beats', 'bars')
OBJECTIVES = ('minimax', 'non_saturating', 'least_squares', 'wasserstein', 'hinge', 'relativistic')
OUTPUTS = ('linear', 'tanh')
LABELS = ('auto', 'use', 'ignore')
AUGMENT = ('auto', 'on', 'off')
PRECISIONS = ('float32', 'bfloat16')
XLA = ('auto', 'on', 'off')
ENCODER = ('auto', 'off')
# Settings that older runs do not name, and what they did.
LATER = {'split': None, 'ink_width': None, 'generator_rate': 1.0, 'xla': 'auto', 'encoder': 'auto'}


def _field(default, text, accepts=None, **limits):
    return dataclasses.field(
        default=default, metadata={'text': text, 'accepts': accepts, 'limits': limits}
    )


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that decides what a run learns; what only says where it goes is a flag."""

    # fmt: off
    preset: str = _field('default', 'a row of settings to start from')
    dataset: str = _field('doodles', 'doodles | tfds:NAME[:SPLIT] | KIND:PATH, as folder:drawings')
    split: str | None = _field(None, "train | test | ... | all; none: the data's train, or all")
    labels: str = _field('auto', "auto uses a data set's classes if they are 100 or fewer", LABELS)
    augment: str = _field('auto', 'what the discriminator sees; auto: if images are few', AUGMENT)
    image_size: int | None = _field(None, 'side in pixels; none: as the data', least=8, most=1024)
    ink_width: float | None = _field(None, 'of data that are strokes, in sides', above=0, most=0.5)
    seed: int = _field(0, 'of all randomness', least=0, most=2**31 - 1)
    steps: int | None = _field(None, 'train so many, instead of --minutes', least=1, most=10**12)
    minutes: float | None = _field(5.0, 'train so long, instead of --steps', above=0, most=10**7)
    batch_size: int = _field(64, 'images a step, over all devices', least=1, most=2**20)
    architecture: str = _field('pen', 'the pair of networks', ARCHITECTURES)
    width: int = _field(400, 'units of a dense hidden layer', least=1, most=2**16)
    depth: int = _field(3, 'dense hidden layers of each network', least=1, most=64)
    channels: int = _field(16, 'of the finest map; coarser ones have more', least=1, most=2**12)
    latent_size: int = _field(64, 'numbers a drawing is made from', least=1, most=2**16)
    output: str = _field('tanh', "squashing of the generator's output", OUTPUTS)
    precision: str = _field('float32', 'of the products in training', PRECISIONS)
    xla: str = _field('auto', 'compiles the steps; auto: if that is faster on this machine', XLA)
    objective: str = _field('relativistic', 'the game the two networks play', OBJECTIVES)
    penalty_weight: float | None = _field(None, "none: the objective's own", least=0, most=10**9)
    penalty_decay: float | None = _field(None, 'share of it left at the end', above=0, most=1)
    learning_rate: float = _field(3.5e-4, 'of Adam', above=0, most=1)
    generator_rate: float = _field(0.25, "the generator's, as a share of it", above=0, most=1)
    # In float32 a little more is 1: Adam would divide by nought.
    beta_1: float = _field(0.0, "Adam's memory of the gradient", least=0, most=0.99999)
    beta_2: float = _field(0.99, "Adam's memory of its square", least=0, most=0.99999)
    decay_from: float = _field(0.5, 'share of the run before both slow down', least=0, most=1)
    ema_images: int = _field(50_000, "half-life, of the generator's average", least=1, most=10**15)
    ema_share: float = _field(0.05, 'and at most this share of the images seen', above=0, most=1)
    encoder: str = _field('auto', 'reads drawings of yours; a fifth more of the budget', ENCODER)
    # fmt: on

    def __post_init__(self):
        for field in dataclasses.fields(self):
            _check_field(field, getattr(self, field.name))
        if (self.steps is None) == (self.minutes is None):
            raise ConfigError(
                f'--steps={self.steps} and --minutes={self.minutes}: give exactly one of the two'
            )


def _check_field(field, value):
    kind, optional = field_type(field)
    if value is None and optional:
        return
    kinds = (int, float) if kind is float else kind
    if not isinstance(value, kinds) or isinstance(value, bool) or not _can_be_held(value):
        raise ConfigError(f'--{field.name}={quoted(value, repr)}: expected {_ARTICLES[kind]}')
    accepts = field.metadata['accepts']
    if accepts and value not in accepts:
        raise ConfigError(f'--{field.name}={quoted(value)}: expected one of {", ".join(accepts)}')
    for name, (holds, words) in _LIMITS.items():
        limit = field.metadata['limits'].get(name)
        if limit is not None and not holds(value, limit):
            raise ConfigError(f'--{field.name}={quoted(value)}: expected {words} {limit}')


_ARTICLES = {int: 'a whole number', float: 'a finite number', str: 'a text'}
_LIMITS = {
    'least': (lambda value, limit: value >= limit, 'at least'),
    'most': (lambda value, limit: value <= limit, 'at most'),
    'above': (lambda value, limit: value > limit, 'more than'),
}


def _can_be_held(value):
    return is_text(value) if isinstance(value, str) else is_finite(value)


def is_text(value: str) -> bool:
    """Whether a text can be printed and written: bytes of a command line need not be UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_finite(value: int | float) -> bool:
    """Whether it is a number that a float can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def field_type(field) -> tuple[type, bool]:
    """A field's plain type, and whether it may be None."""
    optional = getattr(field.type, '__args__', (field.type,))
    return optional[0], len(optional) > 1


# What each preset changes of the defaults above. `article` is the article's pair and game: three
# layers of 1,024, no squashing, cross-entropy, 10,000 steps; what it left open is as usual in 2014.
# `dense` is such a pair in the default's game; a weaker eye takes a weaker penalty, and `conv`'s,
# which is sharper, a stronger one. In a minute, shapes matter more than that a kind varies.
# Windows of music are few. A smaller discriminator is slower to know them by heart, and a generator
# whose learning rate does not fall keeps up with it.
# fmt: off
PRESETS = {
    'default': dict(),
    'quick':   dict(minutes=1.0, generator_rate=0.8),
    'pixels':  dict(architecture='hybrid', width=512, depth=2, generator_rate=1.0),
    'dense':   dict(architecture='mlp', width=512, learning_rate=7e-4, generator_rate=1.0,
                    penalty_weight=0.3),
    'conv':    dict(architecture='conv', width=256, depth=1, channels=32, learning_rate=5e-4,
                    generator_rate=1.0, penalty_weight=20.0),
    'article': dict(architecture='mlp', steps=10_000, batch_size=128, width=1024,
                    latent_size=100, output='linear', objective='non_saturating',
                    learning_rate=2e-4, generator_rate=1.0, beta_1=0.5, beta_2=0.999,
                    decay_from=1.0),
    'music':   dict(architecture='beats', minutes=10.0, width=192, depth=2, channels=8,
                    generator_rate=1.0, decay_from=1.0, ema_share=0.2,
                    penalty_weight=2.0, penalty_decay=1.0, augment='off'),
}
# fmt: on


USUAL_PRESETS = dict.fromkeys(('jsb', 'midi', 'abc'), 'music')  # by the kind of data set


def make(preset: str | None = None, **explicit) -> Config:
    """The configuration of a preset with explicit settings on top; raises ConfigError.

    Without a preset it is the one that is usual for the data set.
    """
    if preset is None:
        kind = str(explicit.get('dataset')).partition(':')[0]
        preset = USUAL_PRESETS.get(kind, 'default')
    if preset not in PRESETS:
        raise ConfigError(f'--preset={quoted(preset)}: expected one of {", ".join(PRESETS)}')
    names = {field.name for field in dataclasses.fields(Config)}
    if unknown := sorted(set(explicit) - names):
        raise ConfigError(f'unknown settings {unknown}; known: {", ".join(sorted(names))}')
    return Config(preset=preset, **_merge(PRESETS[preset], explicit))


def _merge(preset, explicit):
    """Preset below explicit settings, of which steps replace its minutes and minutes its steps.

    An objective replaces the preset's penalty, which another may not have.
    """
    if 'objective' in explicit:
        preset = {name: value for name, value in preset.items() if name != 'penalty_weight'}
    merged = {}
    for settings in (preset, explicit):
        for budget, other in (('steps', 'minutes'), ('minutes', 'steps')):
            if settings.get(budget) is not None:
                merged[other] = None
        merged |= settings
    return merged


def describe(config: Config) -> str:
    """The configuration as aligned lines, `*` where it departs from the default preset."""
    default = Config()
    lines = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        mark = '*' if value != getattr(default, field.name) else ' '
        lines.append(f'{mark} {field.name:15} {"none" if value is None else value}')
    return '\n'.join(lines)


def table(config: Config) -> str:
    """The configuration as a Markdown table."""
    rows = '\n'.join(f'| {name} | {value} |' for name, value in vars(config).items())
    return f'| setting | value |\n|---|---|\n{rows}'


def differences(old: dict, new: dict) -> list[str]:
    """One line for each setting in which two configurations differ."""
    keys = list(dict.fromkeys([*new, *old]))
    pairs = {key: (old.get(key, 'absent'), new.get(key, 'absent')) for key in keys}
    return [
        f'{shown(key)}: {quoted(there)} there, {quoted(now)} now'
        for key, (there, now) in pairs.items()
        if there != now
    ]


_DEFINE = {int: flags.DEFINE_integer, float: flags.DEFINE_float, str: flags.DEFINE_string}


def define_flags():
    """Defines a flag for each field; one that is not given leaves the preset's value."""
    for field in dataclasses.fields(Config):
        kind, _ = field_type(field)
        _DEFINE[kind](field.name, None, field.metadata['text'])


def from_flags() -> Config:
    """The configuration that the parsed flags ask for; raises ConfigError."""
    given = {
        field.name: flags.FLAGS[field.name].value
        for field in dataclasses.fields(Config)
        if flags.FLAGS[field.name].present
    }
    return make(**given)


def help_text() -> str:
    """The fields as aligned lines: flag, default, meaning."""
    lines = []
    for field in dataclasses.fields(Config):
        accepts = field.metadata['accepts']
        if field.name == 'preset':
            accepts = PRESETS
        meaning = field.metadata['text'] + (f': {" | ".join(accepts)}' if accepts else '')
        default = 'none' if field.default is None else field.default
        lines.append(f'  --{field.name:15} {default!s:12} {meaning}')
    return '\n'.join(lines)
