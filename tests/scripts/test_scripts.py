"""What serves on fleets: configuration that TensorFlow Serving's own messages take."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from google.protobuf import text_format
from saved_model.test_layout import NO_VERSIONS
from tensorflow_serving.config import model_server_config_pb2

from tfgan.saved_model import layout

ROOT = pathlib.Path(__file__).parents[2]
BATCHING = {'max_batch_size', 'batch_timeout_micros', 'max_enqueued_batches', 'num_batch_threads'}


@pytest.fixture
def project(tmp_path):
    """A copy of the script in a project, whose path has a space, with two models and a folder."""
    root = tmp_path / 'my project'
    (root / 'scripts').mkdir(parents=True)
    shutil.copy(ROOT / 'scripts/serve', root / 'scripts/serve')
    for name in 'doodles/1', 'doodles/2', 'mnist/1':
        (root / 'saved_models' / name).mkdir(parents=True)
        (root / 'saved_models' / name / 'saved_model.pb').touch()
    (root / 'saved_models/notes').mkdir()
    return root


def serve(project, *flags, path='', code=0):
    basic = '/usr/bin:/bin'
    done = subprocess.run(
        ['sh', project / 'scripts/serve', *flags], env={'PATH': f'{path}:{basic}'},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def command(folder, name, script):
    """An executable that runs a script."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f'#!/bin/sh\n{script}\n')
    (folder / name).chmod(0o755)
    return folder


def check(models, batching, monitoring):
    """Holds the files against their messages; the models' configurations."""
    # These two messages are in no package; their fields are held against those of their source.
    fields = dict(line.split(' ', 1) for line in batching.strip().splitlines())
    assert set(fields) == BATCHING
    assert all(re.fullmatch(r'{ value: \d+ }', value) for value in fields.values())
    assert re.fullmatch(r'prometheus_config { enable: true path: "/[a-z/]+" }\n', monitoring)
    return text_format.Parse(
        models, model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config


def read(project):
    folder = project / 'saved_models/.serving'
    return [
        (folder / f'{name}.config').read_text() for name in ('models', 'batching', 'monitoring')
    ]


def test_its_configuration_has_every_model(project):
    out = serve(project, '--show').stdout
    models = check(*read(project))
    assert [(m.name, m.base_path) for m in models] == [
        (name, str(project / 'saved_models' / name)) for name in ('doodles', 'mnist')
    ]
    assert all(m.model_version_policy.latest.num_versions == 1 for m in models)
    assert f'--model_config_file={project}/saved_models/.serving/models.config' in out


INJECTED = 'a" } config { name: "b" base_path: ">etc" model_platform: "tensorflow'


def test_a_model_may_have_any_name(project):
    names = ['a"b\\c', 'v[2]', 'two words', INJECTED, 'a\nb\n', 'a\r\t\x1b\x7f', "'", 'größe', '猫']
    for name in names:
        shutil.copytree(project / 'saved_models/mnist/1', project / 'saved_models' / name / '0001')
    serve(project, '--show')
    found = {m.name: m.base_path for m in check(*read(project))}
    assert {name: found.get(name) for name in names} == {
        name: str(project / 'saved_models' / name) for name in names
    }


def test_a_name_that_is_no_text_is_left_out(project):
    model = os.fsencode(project / 'saved_models') + b'/b\xff\x1b'
    shutil.copytree(os.fsencode(project / 'saved_models/mnist/1'), model + b'/1')
    assert serve(project, '--show').stderr.endswith('/\\142\\377\\033\n')
    assert [model.name for model in check(*read(project))] == ['doodles', 'mnist']


@pytest.mark.parametrize('name', [*NO_VERSIONS, '1', '0', '01', '9223372036854775807'])
def test_a_version_is_what_it_is_elsewhere(project, name):
    shutil.copytree(project / 'saved_models/mnist/1', project / 'saved_models/new' / name)
    serve(project, '--show')
    found = 'new' in {model.name for model in check(*read(project))}
    assert found == bool(layout.versions(project / 'saved_models/new')) == (name not in NO_VERSIONS)


SAY = 'for word; do echo "$word"; done'


def test_it_starts_the_server_if_there_is_one(project, tmp_path):
    path = command(tmp_path / 'bin', 'tensorflow_model_server', SAY)
    out = serve(project, '--rest_api_port=9', path=path).stdout.splitlines()
    assert out[0] == f'--model_config_file={project}/saved_models/.serving/models.config'
    assert out[-2:] == ['--rest_api_port=8501', '--rest_api_port=9']  # the last one counts


def test_else_it_starts_a_container(project, tmp_path):
    path = command(tmp_path / 'bin', 'docker', f'[ "$1" = info ] || {SAY}')
    out = serve(project, path=path).stdout.splitlines()
    assert f'{project}/saved_models:/models:ro' in out
    assert '127.0.0.1:8501:8501' in out
    [image] = [word for word in out if word.startswith('tensorflow/serving')]
    assert ('--read-only' in out) and image == served_image()
    assert check(*read(project))[0].base_path == '/models/doodles'


def test_else_it_says_what_to_install(project, tmp_path):
    path = command(tmp_path / 'bin', 'docker', 'exit 1')  # installed, but not running
    said = serve(project, path=path, code=1).stderr
    assert 'tensorflow-model-server' in said and 'python -m tfgan.serve' in said
    assert not (project / 'saved_models/.serving').exists()


def manifest():
    text = (ROOT / 'scripts/kubernetes/serve.yaml').read_text()
    return {each['kind']: each for each in yaml.safe_load_all(text)}


def served_image():
    [container] = manifest()['Deployment']['spec']['template']['spec']['containers']
    return container['image']


def test_the_kubernetes_manifest_holds_together():
    kinds = manifest()
    assert set(kinds) == {'ConfigMap', 'Deployment', 'Service', 'HorizontalPodAutoscaler'}
    data = kinds['ConfigMap']['data']
    [model] = check(*(data[f'{name}.config'] for name in ('models', 'batching', 'monitoring')))
    pod = kinds['Deployment']['spec']['template']
    [container] = pod['spec']['containers']
    assert container['readinessProbe']['httpGet']['path'] == f'/v1/models/{model.name}'
    ports = {port['name']: port['containerPort'] for port in container['ports']}
    assert {port['targetPort'] for port in kinds['Service']['spec']['ports']} == set(ports)
    assert f'--rest_api_port={ports["rest"]}' in container['args']
    assert kinds['Service']['spec']['selector'] == pod['metadata']['labels']
    mounts = {mount['mountPath']: mount['name'] for mount in container['volumeMounts']}
    assert model.base_path.startswith('/models') and '/models' in mounts
    assert set(mounts.values()) == {volume['name'] for volume in pod['spec']['volumes']}
    scaled = kinds['HorizontalPodAutoscaler']['spec']['scaleTargetRef']
    assert scaled['name'] == kinds['Deployment']['metadata']['name']
    configs = [flag.split('/config/')[1] for flag in container['args'] if '/config/' in flag]
    assert set(configs) == set(data)
    assert os.path.basename(container['command'][0]) == 'tensorflow_model_server'
