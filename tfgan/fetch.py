"""Bring an exported model from the Hugging Face Hub.

    python -m tfgan.fetch hf:OWNER/NAME

writes the next version of saved_models/NAME, or of --out=DIRECTORY. @REVISION after the name takes
a branch, tag or commit. A repository is brought only if it has the files of an export and no
others, as many bytes as such a one may have, and the hashes that its SHA256SUMS and its card tell;
and only if the model does no more than compute. It takes pip install '.[hub]'.
"""

from absl import flags

from tfgan import cli, hub
from tfgan.errors import ModelError, shown, typed

OWN = ['out']
FLAGS = flags.FLAGS


def main(address: str = ''):
    if not address:
        raise ModelError(f'which model? Type {hub.FORM}')
    repo = hub.repository(address)
    out = FLAGS.out or f'saved_models/{repo.name}'
    cli.check_folder('out', out)
    version = hub.fetch(repo, out)
    print(f"""{repo} is {shown(str(version))}, its drawings {shown(f'{version}/sheet.png')}. Next:
  python -m tfgan.sample --model={typed(out)} --num=64 --seed=7 --out=sheet.png""")


if __name__ == '__main__':
    cli.define_place('out', None, "the model's directory; default saved_models/NAME")
    cli.run(main, f'{__doc__}\nflags:\n{cli.listed(OWN)}', words=1)
