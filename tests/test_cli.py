"""The whole way at toy size, each command in a process of its own, as a person would run it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import forks
import numpy as np
import pytest
import tensorflow as tf
from commands import TOY, checkpoint, run, small_data, start, waited_for
from PIL import Image

from tfgan import cli
from tfgan.training import checkpoints

SIGNATURES = {
    *('serving_default', 'labelled', 'truncated', 'png', 'latents', 'interpolate'),
    *('discriminate', 'classes', 'recipe', 'svg', 'strokes', 'interpolate_svg'),
}


def files(directory):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in directory.rglob('*') if p.is_file()}


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A finished toy run on the embedded drawings, and what the command said."""
    cwd = tmp_path_factory.mktemp('trained')
    return cwd, *run(cwd, 'train', '--steps=60', *TOY)


def test_training_says_what_comes_next(trained):
    _, out, err = trained
    assert err == ''  # TensorFlow's start-up noise is none of the user's business
    assert re.search(r'\d% step \d+, [\d,]+ images/s, [\d:]+ left, loss D \d\S+ G \d\S+\n', out)
    assert '* steps           60' in out
    following = out[out.index('Next:') :].splitlines()[1:]
    assert [re.search(r'sample|evaluate|tensorboard|serve', line)[0] for line in following] == [
        'sample',
        'evaluate',
        'tensorboard',
        'serve',
    ]


def test_a_run_leaves_its_pictures(trained):
    samples = trained[0] / 'runs/doodles/samples'
    names = sorted(path.name for path in samples.iterdir())
    assert names[:3] == ['curves.png', 'real.png', 'step-00000000.png']
    assert names[-2:] == ['step-00000060.png', 'walk.gif']
    assert Image.open(samples / 'walk.gif').n_frames == 20  # 60, but for those in haste
    first, last = (np.asarray(Image.open(samples / names[i])) for i in (2, -2))
    assert first.shape == last.shape
    assert (first != last).mean() > 0.1


def test_tensorboard_has_what_the_readme_promises(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(trained[0] / 'runs/doodles/tensorboard'), {'tensors': 0})
    events.Reload()
    tags = set(events.Tags()['tensors'])
    assert tags >= {
        'loss/discriminator', 'loss/generator', 'loss/penalty', 'accuracy/real',
        'accuracy/generated', 'gradient_norm/discriminator', 'gradient_norm/generator',
        'images_per_sec', 'drawings', 'real', 'walk', 'score/frechet_distance',
        'score/frechet_distance_of_real', 'score/coverage', 'score/copies', 'augmentation',
    }  # fmt: skip
    points = events.Tensors('loss/discriminator')
    assert points[-1].step == 60
    assert 0 < float(tf.make_ndarray(points[-1].tensor_proto)) < 20
    text = [tag for tag in tags if tag.startswith('configuration')]
    assert b'relativistic' in tf.make_ndarray(events.Tensors(text[0])[0].tensor_proto).item()


def test_an_export_needs_nothing_of_ours(trained):
    version = trained[0] / 'saved_models/doodles/1'
    script = f"""
import sys
sys.modules['tfgan'] = sys.modules['keras'] = None  # importing either fails
import numpy as np, tensorflow as tf
model = tf.saved_model.load({str(version)!r}).signatures
image = model['serving_default'](seed=tf.constant([3, 4], tf.int64))['image']
png = model['png'](seed=tf.constant([3, 4], tf.int64))['png_bytes']
assert (tf.io.decode_png(png[1]).numpy() == image[1].numpy()).all()
cat = model['labelled'](seed=tf.constant([3], tf.int64), label=tf.constant([5]))['image']
free = model['latents'](latents=tf.zeros([5, 8]), label=tf.zeros([5], tf.int32))['image']
way = dict(seed=tf.constant([3], tf.int64), to_seed=tf.constant([9], tf.int64))
way |= dict(label=tf.constant([5]))
near = model['interpolate'](share=tf.constant([0.0]), **way)['image']
assert abs(near.numpy().astype(int) - cat.numpy()).max() <= 1
sure = model['discriminate'](image=image, label=tf.constant([1, 2]))['probability']
assert image.dtype == tf.uint8 and free.shape == [5, 28, 28, 1] and (0 < sure.numpy()).all()
assert sure.shape == [2] and (sure.numpy() < 1).all()
print(sorted(model), image.numpy().tobytes().hex())
"""
    out = [subprocess.check_output([*forks.python(), '-c', script], text=True) for _ in range(2)]
    assert out[0] == out[1]  # one seed is one drawing in every process
    assert all(name in out[0] for name in SIGNATURES)


def test_an_export_tells_what_it_is(trained):
    version = trained[0] / 'saved_models/doodles/1'
    assert {path.name for path in version.parent.iterdir()} == {'1'}
    facts = json.loads((version / 'model.json').read_text())
    assert facts['step'] == 60
    assert facts['images_seen'] == 960
    assert facts['data']['class_names'][5] == 'cat'
    card = (version / 'README.md').read_text()
    for words in (
        '`doodles`',
        'Licence of the data',
        '| width | 16 |',
        'frechet_distance_of_real',
        '960',
    ):
        assert words in card
    # Ten and eight drawings of 112 pixels beside each other, with gaps of 2.
    assert Image.open(version / 'sheet.png').size == (1142, 914)


def test_sample_writes_sheets_pictures_and_walks(trained):
    cwd = trained[0]
    model = '--model=saved_models/doodles'
    run(cwd, 'sample', model, '--num=6', '--seed=7', '--out=six.png', '--walk=w.gif', '--frames=6')
    walk = Image.open(cwd / 'w.gif')
    assert walk.n_frames == 6
    assert walk.size == (504, 338)  # three drawings of 160 pixels beside each other
    run(cwd, 'sample', model, '--num=3', '--seed=7', '--out=single', '--label=cat')
    run(cwd, 'sample', f'{model}/1', '--num=3', '--seed=7', '--out=again', '--label=5')
    assert sorted(os.listdir(cwd / 'single')) == ['7.png', '8.png', '9.png']
    assert (cwd / 'single/8.png').read_bytes() == (cwd / 'again/8.png').read_bytes()
    sheet = np.asarray(Image.open(cwd / 'six.png'))
    assert sheet.shape == (2 * 112 + 3 * 4, 3 * 112 + 4 * 4)  # drawn from the strokes


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--model=nowhere', '--out=a.png'], ['nowhere', 'tfgan.train']),
        (
            ['--model=saved_models/doodles', '--out=a.png', '--label=dog'],
            ['dog', 'sun', 'umbrella'],
        ),
        (['--model=saved_models/doodles'], ['--out=sheet.png']),
    ],
)
def test_sample_refuses_with_advice(trained, flags, words):
    _, err = run(trained[0], 'sample', *flags, code=1)
    assert all(word in err for word in words)
    assert 'Traceback' not in err
    assert not (trained[0] / 'a.png').exists()


@pytest.mark.long
def test_the_same_command_again_trains_no_more_and_exports(trained):
    cwd = trained[0]
    before = checkpoint(cwd / 'runs/doodles')
    out, _ = run(cwd, 'train', '--steps=60', *TOY, '--export_dir=saved_models/again')
    assert 'continuing runs/doodles at step 60' in out
    after = checkpoint(cwd / 'runs/doodles')
    assert all(np.array_equal(before[key], after[key]) for key in before)
    run(cwd, 'export', '--run_dir=runs/doodles', '--export_dir=saved_models/again')
    run(
        cwd,
        'export',
        '--run_dir=runs/doodles',
        '--export_dir=saved_models/best',
        '--checkpoint=best',
    )
    first, second = (
        np.asarray(Image.open(cwd / f'saved_models/again/{number}/sheet.png').convert('L'))
        for number in '12'
    )
    assert abs(first.astype(int) - second).mean() < 1  # of few greys, which may differ by one
    # The last state has no score of its own on disk, and the best one's is not its.
    cards = [cwd / 'saved_models' / name / 'model.json' for name in ('again/2', 'best/1')]
    assert [list(json.loads(card.read_text())['scores']) for card in cards] == [
        [],
        ['frechet_distance'],
    ]


@pytest.mark.parametrize(('best', 'told'), [(7.37, True), (10.5, False), (None, False)])
def test_a_better_state_than_the_last_is_named(best, told, capsys):
    cli.farewell(pathlib.Path('m/3'), 'runs/x', {'frechet_distance': 11.0}, best)
    said = capsys.readouterr().out
    command = '-m tfgan.export --run_dir=runs/x --checkpoint=best --export_dir=m'
    assert (command in said) == ('distance 7.37' in said) == told


def words_of(line):
    """The words of a line as a shell takes them."""
    return subprocess.check_output(['bash', '-c', f'printf "%s\\0" {line}']).decode().split('\0')


def test_what_is_told_can_be_pasted(capsys):
    run = "-r [2]\n'x'"
    cli.farewell(pathlib.Path('a b/3'), pathlib.Path(run), {'frechet_distance': 11.0}, 3.0)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('  ')]
    export, sample, evaluate, tensorboard, serve = map(words_of, lines[1:])
    assert f'--run_dir={run}' in export and '--export_dir=a b' in export
    assert '--model=a b' in sample and '--model=a b' in evaluate and '--models=a b' in serve
    assert tensorboard == ['scripts/tensorboard', f'./{run}', '']


def test_other_settings_are_listed_and_nothing_is_touched(trained):
    cwd = trained[0]
    before = files(cwd)
    _, err = run(cwd, 'train', '--steps=70', '--seed=4', *TOY, code=1)
    assert 'steps: 60 there, 70 now' in err
    assert 'seed: 0 there, 4 now' in err
    assert '--run_dir=runs/doodles-2' in err
    assert files(cwd) == before


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_to_the_same_weights(tmp_path, number, full):
    if not full and number != signal.SIGTERM:
        pytest.skip('it takes --all')
    steps = 4000
    flags = [f'--steps={steps}', '--checkpoint_secs=0.1', '--export_dir=models/toy', *TOY]
    # Small networks on large batches: steps that no machine is through with before it is told.
    flags += ['--architecture=mlp', '--batch_size=128', small_data(tmp_path)]
    run(tmp_path, 'train', *flags, '--run_dir=whole')
    process = start(tmp_path, 'train', *flags, '--run_dir=broken')
    broken = tmp_path / 'broken/checkpoints'
    waited_for(process, lambda: len(list(broken.glob('*.index'))) > 1)
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert 'the same command goes on from there' in out
    step = int(checkpoint(tmp_path / 'broken')['counters/0/.ATTRIBUTES/VARIABLE_VALUE'])
    assert 1 < step < steps
    out, _ = run(tmp_path, 'train', *flags, '--run_dir=broken')
    assert 'continuing broken at step' in out
    whole, broken = (checkpoint(tmp_path / name) for name in ('whole', 'broken'))
    assert len(whole) > 20
    assert [key for key in whole if not np.array_equal(whole[key], broken[key])] == []
    assert len(os.listdir(tmp_path / 'models/toy')) == 2


def test_a_run_that_nobody_reads_is_saved_and_ends_quietly(tmp_path):
    flags = [small_data(tmp_path), '--architecture=mlp', '--steps=1000000', '--run_dir=v[2]']
    flags += ['--xla=off']  # else it measures before its first step
    process = start(tmp_path, 'train', *flags, *TOY)
    waited_for(process, lambda: list((tmp_path / 'v[2]/samples').glob('step*')))
    process.stdout.close()  # as `head` does that has read enough
    assert process.wait(60) == 128 + signal.SIGPIPE
    assert process.stderr.read() == ''
    assert checkpoints.reached(tmp_path / 'v[2]')[0] > 0


@pytest.mark.long
def test_minutes_are_kept_across_a_stop(tmp_path):
    flags = ['--minutes=0.3', '--run_dir=r', '--export_dir=m', small_data(tmp_path), *TOY]
    process = start(tmp_path, 'train', *flags)
    waited_for(process, lambda: len(list((tmp_path / 'r/samples').glob('step*'))) > 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    process.communicate()
    _, stopped = checkpoints.reached(tmp_path / 'r')
    out, _ = run(tmp_path, 'train', *flags)
    first = re.search(r'^00:(\d\d) ', out, re.MULTILINE)[1]
    assert 5 < stopped < int(first) + 1  # it goes on where the clock stood
    secs = json.loads((tmp_path / 'm/1/model.json').read_text())['secs']
    assert 18 <= secs < stopped + 18  # a busy machine's first call alone may take ten seconds


@pytest.mark.long
def test_a_run_that_cannot_learn_stops_with_advice(tmp_path):
    flags = ['--steps=3000', '--objective=wasserstein', '--learning_rate=1', '--output=linear']
    flags += ['--penalty_weight=1e9', '--architecture=hybrid']  # a pen's drawings are bounded
    _, err = run(tmp_path, 'train', *flags, small_data(tmp_path), '--width=64', code=1)
    assert re.search(r'since step [\d,]+ no update was finite \((loss|gradient_norm)/', err)
    assert '--learning_rate (now 1)' in err
    assert 'Traceback' not in err


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--stesp=3'], ['stesp', 'steps']),
        (['--steps=3', '--minutes=1'], ['--steps=3', '--minutes=1']),
        (['mnist'], ["'mnist'", '--name=value']),
        (['--dataset=mnst'], ['mnst', 'doodles']),
        (['--dataset=folder:nowhere'], ['nowhere']),
        (['--width=0'], ['--width=0', 'at least 1']),
        (['--strategy=two'], ['two', 'mirrored']),
        (['--steps=3', '--penalty_weight=1', '--objective=hinge'], ['hinge', 'relativistic']),
    ],
)
def test_refusals_come_before_the_first_file(tmp_path, flags, words):
    _, err = run(tmp_path, 'train', *flags, code=1)
    assert all(word in err for word in words), err
    assert 'Traceback' not in err
    assert list(tmp_path.iterdir()) == []


def test_help_is_there_without_tensorflow(tmp_path):
    for module in ('train', 'sample', 'export'):
        script = (
            f'import runpy, sys; sys.argv = ["{module}", "--help"];'
            f'runpy.run_module("tfgan.{module}", run_name="__main__");'
            'assert "tensorflow" not in sys.modules and "keras" not in sys.modules'
        )
        out = subprocess.check_output([sys.executable, '-c', script], text=True)
        assert 'flags:' in out
        assert max(map(len, out.splitlines())) <= 150
