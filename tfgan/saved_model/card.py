"""The model card beside an export, as Markdown."""

from tfgan.config import Config, table


def card(config: Config, facts: dict) -> str:
    """The model card as Markdown."""
    data = facts['data']
    scores = '\n'.join(f'    {name}: {value:.4g}' for name, value in facts['scores'].items())
    return f"""# {facts['name']}

![drawings](sheet.png)

A generator of drawings {data['shape'][0]} pixels high and {data['shape'][1]} wide with \
{data['shape'][2]} channel(s), and the discriminator it learned from, trained by tfgan.

- Data set: `{data['dataset']}`, {data['count']:,} images, {len(data['class_names'])} class(es): \
{', '.join(data['class_names'])}
- Licence of the data: {data['licence']}
- Trained for {facts['step']:,} steps, {facts['images_seen']:,} images seen, \
{facts['secs'] / 60:.1f} minutes

Scores of the drawings, `_of_real` those of other real images:

{scores}

## Draw

    python -m tfgan.sample --model=. --num=64 --seed=7 --out=sheet.png

or, with TensorFlow alone:

    model = tf.saved_model.load('.')
    images = model.signatures['serving_default'](seed=tf.constant([7, 8, 9], tf.int64))['image']

One seed is one drawing. `saved_model_cli show --all --dir .` lists the other signatures.

## Serve

    python -m tfgan.serve --models=DIRECTORY_ABOVE

or, on a fleet,

    tensorflow_model_server --model_name={facts['name']} --model_base_path=DIRECTORY_ABOVE \
--rest_api_port=8501

and then

    curl -d '{{"instances": [7]}}' localhost:8501/v1/models/{facts['name']}:predict

## Configuration

{table(config)}

## Know before use

It draws what its data shows and nothing else, can repeat single examples of a small data set, and
says nothing of who made them: see the licence.
"""
