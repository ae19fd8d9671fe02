"""`tfgan.redraw` and `tfgan.learn`: pictures in, files out, one line where that cannot be."""

import numpy as np
import pytest
from commands import run
from PIL import Image, ImageDraw
from servers import Server
from toy_models import toy_pen

import tfgan
from tfgan import redrawing
from tfgan.errors import ModelError
from tfgan.forms.drawing import vectors


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """A model that reads drawings, and has learned neither to read nor to draw."""
    return toy_pen(tmp_path_factory.mktemp('reads') / 'toy', reads=True)


@pytest.fixture(scope='module')
def mine(tmp_path_factory):
    """A folder of drawings: two that can be read, one that is blank, one of a hole."""
    folder = tmp_path_factory.mktemp('mine')
    for name, place in (('a', 20), ('b', 50)):
        picture = Image.new('RGB', (120, 100), (250, 245, 230))
        pen = ImageDraw.Draw(picture)
        pen.ellipse((place, 20, place + 45, 80), outline=(30, 30, 120), width=4)
        pen.line((place, 20, place + 45, 80), fill=(30, 30, 120), width=4)
        picture.save(folder / f'{name}.png')
    Image.new('L', (120, 100), 255).save(folder / 'blank.png')
    torn = picture.convert('RGBA')
    torn.paste((0, 0, 0, 0), (60, 0, 120, 100))
    torn.save(folder / 'torn.png')
    return folder


def redraw(model, folder, *flags, code=0):
    out, err = run(folder, 'redraw', f'--model={model.version}', '--steps=3', *flags, code=code)
    return out if not code else err


def test_a_drawing_comes_back_as_a_file_of_any_kind(model, mine, tmp_path):
    image = f'--image={mine / "a.png"}'
    for out in ('a.svg', 'a.png', 'a.pdf'):
        said = redraw(model, tmp_path, image, '--label=dog', f'--out={out}')
        assert 'dog, ink IoU 0.' in said
    vector = vectors.read((tmp_path / 'a.svg').read_text())
    assert (vector.width, vector.height) == (120, 100) and vector.lines
    assert vector.paper == '#faf5e6' and {line.colour for line in vector.lines} == {'#1e1e78'}
    assert Image.open(tmp_path / 'a.png').size == (120, 100)
    assert (tmp_path / 'a.pdf').read_bytes().startswith(b'%PDF')


def test_variations_are_the_same_by_seed_and_nearer_or_further(model, mine):
    path = mine / 'a.png'
    found = model.redraw([path], label='dog')
    near, again, far = (model.vary(path, 6, distance, label='dog') for distance in (0.2, 0.2, 0.9))
    assert np.array_equal(near.images, again.images) and len(near.images) == 6
    gaps = [np.linalg.norm(each.latents - found.latents, axis=1).mean() for each in (near, far)]
    assert 0 < gaps[0] < 0.5 * gaps[1]
    more = redrawing.varied(found.latents[0], 9, 0.2, 0)
    assert np.array_equal(more[:6], near.latents)
    assert not np.array_equal(redrawing.varied(found.latents[0], 6, 0.2, 1), near.latents)
    assert np.allclose(redrawing.varied(found.latents[0], 1, 0.0, 5), found.latents)


def test_vary_writes_a_sheet(model, mine, tmp_path):
    flags = f'--image={mine / "a.png"}', '--label=cat', '--vary=4'
    redraw(model, tmp_path, *flags, '--out=near.svg')
    assert (tmp_path / 'near.svg').read_text().count('<svg ') == 5
    redraw(model, tmp_path, *flags, '--out=near/', '--format=svg', '--seed=7')
    names = {path.name for path in (tmp_path / 'near').iterdir()}
    assert names == {f'{number}.svg' for number in (7, 8, 9, 10)}


def test_what_was_there_is_mended_byte_for_byte(model, mine, tmp_path):
    redraw(model, tmp_path, f'--image={mine / "torn.png"}', '--mend', '--label=1', '--out=w.png')
    torn, whole = (Image.open(path) for path in (mine / 'torn.png', tmp_path / 'w.png'))
    there = np.asarray(torn)[..., 3] > 0
    whole = np.asarray(whole)
    assert whole.shape == (100, 120, 3)
    assert np.array_equal(whole[there], np.asarray(torn)[there][:, :3])
    for paper, paint in ((255, 0), (0, 255)):
        mask = np.where(there, paper, paint).astype(np.uint8)
        mask[:, -5:] = paper  # so that most of the border is
        Image.fromarray(mask).save(tmp_path / 'mask.png')
        flags = '--mend', '--label=1', '--mask=mask.png'
        redraw(model, tmp_path, f'--image={mine / "b.png"}', *flags)
        mended = np.asarray(Image.open(tmp_path / 'redrawn.png'))
        before = np.asarray(Image.open(mine / 'b.png'))
        assert np.array_equal(mended[mask == paper], before[mask == paper])
        assert not np.array_equal(mended, before)


def test_a_walk_begins_and_ends_with_the_drawings(model, mine, tmp_path):
    flags = f'--image={mine / "a.png"}', f'--to={mine / "b.png"}', '--walk=walk.apng'
    redraw(model, tmp_path, *flags, '--label=dog', '--frames=5')
    walk = Image.open(tmp_path / 'walk.apng')
    assert walk.n_frames == 5
    for frame, name in ((0, 'a'), (4, 'b')):
        walk.seek(frame)
        picture = Image.open(mine / f'{name}.png')
        assert np.array_equal(np.asarray(walk.convert('RGB')), np.asarray(picture))


def test_all_of_a_folder_and_a_sheet_of_both(model, mine, tmp_path):
    out, err = run(
        tmp_path,
        'redraw',
        f'--model={model.version}',
        '--steps=2',
        f'--images={mine}',
        '--label=cat',
        '--out=theirs/',
        '--format=svg',
    )
    names = sorted(path.name for path in (tmp_path / 'theirs').iterdir())
    assert names == ['a.svg', 'b.svg', 'sheet.png', 'torn.svg']
    assert 'blank.png: it has no ink' in err and 'a: cat, ink IoU' in out


def test_a_model_of_pixels_redraws_too(mine, tmp_path):
    pixels = toy_pen(tmp_path / 'pixels', (16, 16, 1), reads=True, architecture='hybrid')
    redraw(pixels, tmp_path, f'--image={mine / "a.png"}', '--label=cat', '--out=a.png')
    redraw(pixels, tmp_path, f'--image={mine / "a.png"}', '--label=cat', '--out=a.svg')
    assert Image.open(tmp_path / 'a.png').size == (120, 100)
    assert vectors.read((tmp_path / 'a.svg').read_text()).width == 120


def test_latents_and_labels_draw_what_was_found(model, mine):
    found = model.redraw([mine / 'a.png', mine / 'b.png'])
    assert np.array_equal(model.draw_latents(found.latents, found.labels), found.images)
    latents, labels = model.encode([mine / 'a.png'])
    guess = model.redraw([mine / 'a.png'], steps=0)
    assert np.allclose(guess.latents, latents, atol=1e-5) and guess.labels == labels


@pytest.mark.parametrize('scheme', ['rest', 'grpc'])
def test_a_server_redraws_alike(model, mine, scheme):
    with Server(model.version.parents[1]) as server:
        served = tfgan.connect(getattr(server, scheme), 'toy')
        pictures = [mine / 'a.png', mine / 'torn.png']
        here, there = (each.redraw(pictures, steps=2, label='dog') for each in (model, served))
        assert np.array_equal(here.images, there.images)
        assert np.allclose(here.latents, there.latents, atol=1e-5)
        svgs = [each.drawings(here.latents, here.labels) for each in (model, served)]
        assert svgs[0] == svgs[1] and svgs[0][0].startswith('<svg')
        assert np.array_equal(*(each.mend(mine / 'torn.png', label=1) for each in (model, served)))


@pytest.mark.parametrize(
    ('flags', 'said'),
    [
        ([], 'which drawing? Give --image='),
        (['--image=blank.png', '--out=x.png'], 'blank.png: it has no ink'),
        (['--image=gone.png', '--out=x.png'], "gone.png: [Errno 2] No such file"),
        (['--image=a.png', '--out=x.bmp'], 'it can be written as'),
        (['--image=a.png', '--out=x.png', '--label=owl'], '--label=owl: the model draws cat, dog'),
        (['--image=a.png', '--out=x.png', '--mask=m.png'], '--mask is what --mend draws in'),
        (['--image=a.png', '--out=x.png', '--mend'], 'has no hole'),
        (['--image=torn.png', '--out=x.png', '--mend', '--mask=28.png'], 'a mask of 28 x 28'),
        (['--image=a.png', '--to=b.png', '--out=x.png'], 'a walk takes both ends'),
        (['--image=a.png', '--vary=3', '--mend', '--out=x.png'], '--vary and --mend: one of'),
        (['--images=.', '--out=x.png'], '--images take a folder'),
        (['--images=nowhere', '--out=x/'], 'expected a folder with pictures'),
        (['--image=a.png', '--out=x.png'], 'it is nothing that the model draws; nearest is'),
        (['--image=a.png', '--out=x.png', '--distance=3'], '--distance=3: '),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_line(model, mine, tmp_path, flags, said, monkeypatch):
    Image.new('L', (28, 28), 255).save(mine / '28.png')
    err = redraw(model, mine, *flags, code=2)
    (mine / '28.png').unlink()
    assert err.startswith('error: ') and err.count('\n') == 1 and said in err
    assert not list(mine.glob('x*'))


def test_a_model_without_an_encoder_says_how_to_get_one(mine, tmp_path):
    plain = toy_pen(tmp_path / 'plain')
    err = redraw(plain, mine, '--image=a.png', '--out=x.png', code=2)
    assert 'has no encoder' in err and 'python -m tfgan.export' in err
    with pytest.raises(ModelError, match='has no encoder'):
        plain.learn([mine / 'a.png'] * 3, 'owl', tmp_path / 'mine')


def test_a_new_word_leaves_the_others_as_they_were(model, mine, tmp_path):
    owls = tmp_path / 'owls'
    owls.mkdir()
    for number in range(4):
        picture = Image.open(mine / 'a.png').rotate(10 * number, fillcolor=(250, 245, 230))
        picture.save(owls / f'{number}.png')
    learned = tfgan.load(model.learn(sorted(owls.iterdir()), 'owl', tmp_path / 'mine', steps=200))
    assert learned.class_names() == [*model.class_names(), 'owl']
    seeds = np.arange(40)
    assert np.array_equal(learned.draw(seeds), model.draw(seeds))
    for label in model.class_names():
        assert np.array_equal(learned.draw(seeds, label), model.draw(seeds, label))
    for old, new in zip(model.weights(), learned.weights(), strict=True):
        assert np.array_equal(new[tuple(map(slice, old.shape))], old)
    own = learned.framed(sorted(owls.iterdir()))

    def near(drawings):
        return np.max([learned.form.likeness([each] * 40, drawings) for each in own], axis=0).mean()

    others = [near(model.draw(seeds, label)) for label in model.class_names()]
    assert near(learned.draw(seeds, 'owl')) > max(others) + 0.03


def test_a_word_is_learned_by_a_command(model, mine, tmp_path):
    (tmp_path / 'owls').mkdir()
    for number in range(3):
        (tmp_path / 'owls' / f'{number}.png').write_bytes((mine / 'a.png').read_bytes())
    flags = f'--model={model.version}', '--images=owls', '--word=owl', '--out=mine', '--secs=1'
    out, _ = run(tmp_path, 'learn', *flags)
    assert 'owl from 3 drawings: mine/1' in out
    assert tfgan.load(tmp_path / 'mine').draw([1, 2], 'owl').shape == (2, 28, 28, 1)


@pytest.mark.parametrize(
    ('flags', 'said'),
    [
        ([], 'what is to be learned? Give --images='),
        (['--images=.', '--word=owl'], 'where to? Give --out='),
        (['--images=.', '--word=cat', '--out=x'], '--word=cat: expected a new one'),
        (['--images=few', '--word=owl', '--out=x'], '2 drawings: a word is learned from 3 to 100'),
    ],
)
def test_a_word_that_cannot_be_learned_is_refused(model, mine, flags, said):
    (mine / 'few').mkdir(exist_ok=True)
    for name in ('a.png', 'b.png'):
        (mine / 'few' / name).write_bytes((mine / name).read_bytes())
    _, err = run(mine, 'learn', f'--model={model.version}', *flags, code=2)
    assert err.startswith('error: ') and err.count('\n') == 1 and said in err
    assert not (mine / 'x').exists()
