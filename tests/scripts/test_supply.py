"""What is installed and run is what was looked at: hashes, floors, tags, rights of containers."""

import re
import tomllib

import pytest
import yaml
from loopback import HERE
from packaging.requirements import Requirement

ROOT = HERE.parent
LOCKS = 'requirements.lock', 'scripts/benchmarks/requirements.txt'
HASHED = re.compile(r'([\w.-]+)==(\S+)( ; [^-]*)?( --hash=sha256:[0-9a-f]{64})+')
# The last release that has a fault which a stranger, or a picture from one, can use.
FAULTY = {
    'aiohttp': '3.14.4',
    'pillow': '12.2.0',
    'requests': '2.32.5',
    'tqdm': '4.66.2',
    'pytest': '9.0.2',
}


def locked(name):
    """A lock's requirements, a line each."""
    text = (ROOT / name).read_text().replace('\\\n', '')
    lines = [re.sub(r'\s+', ' ', line).strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(('#', '--extra-index-url'))]


def versions(name):
    return {match[1]: match[2] for match in map(HASHED.fullmatch, locked(name))}


def asked_for():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())
    lists = project['project']['dependencies'], project['project']['optional-dependencies']['dev']
    return [*map(Requirement, [*project['build-system']['requires'], *lists[0], *lists[1]])]


@pytest.mark.parametrize('lock', LOCKS)
def test_every_requirement_has_a_hash(lock):
    assert [line for line in locked(lock) if not HASHED.fullmatch(line)] == []
    assert len(locked(lock)) > 15


def test_the_lock_has_what_is_asked_for():
    found = versions('requirements.lock')
    names = {each.name.replace('_', '-'): each.specifier for each in asked_for()}
    assert {name: found[name] for name, wanted in names.items() if found[name] not in wanted} == {}


def test_both_locks_agree():
    found, beside = map(versions, LOCKS)
    both = found.keys() & beside.keys()
    assert 'numpy' in both
    assert {name: found[name] for name in both if found[name] != beside[name]} == {}


@pytest.mark.parametrize('name', FAULTY)
def test_no_floor_admits_a_known_fault(name):
    [requirement] = [each for each in asked_for() if each.name == name]
    assert FAULTY[name] not in requirement.specifier


def test_nothing_is_fetched_to_build_with():
    for script in 'scripts/environment', 'scripts/benchmark':
        text = (ROOT / script).read_text().replace('\\\n', '')
        commands = re.findall(r'.*\bpip"? .*\binstall\b.*', text)
        commands += re.findall(r'pip=.*\binstall\b.*', text)
        assert commands and all('--no-build-isolation' in line for line in commands), script
        installed = re.findall(r'.* --(?:requirement|editable) .*', text)
        assert installed
        assert all(re.search('--require-hashes|--no-deps', line) for line in installed), script


def pods():
    for path in sorted((ROOT / 'scripts/kubernetes').glob('*.yaml')):
        for each in yaml.safe_load_all(path.read_text()):
            if each['kind'] in ('Deployment', 'Job'):
                yield pytest.param(each['spec']['template']['spec'], id=path.stem)


@pytest.mark.parametrize('pod', list(pods()))
def test_a_pod_has_no_rights_that_it_does_not_need(pod):
    assert pod['automountServiceAccountToken'] is False
    context = pod['securityContext']
    assert context['runAsNonRoot'] is True and context['runAsUser'] > 0
    assert context['seccompProfile'] == {'type': 'RuntimeDefault'}
    places = {volume['name']: volume for volume in pod['volumes']}
    for container in pod['containers']:
        assert container['securityContext'] == {
            'allowPrivilegeEscalation': False,
            'readOnlyRootFilesystem': True,
            'capabilities': {'drop': ['ALL']},
        }
        mounts = {mount['mountPath']: mount for mount in container['volumeMounts']}
        assert 'emptyDir' in places[mounts['/tmp']['name']]  # TensorFlow writes there


@pytest.mark.parametrize('pod', list(pods()))
def test_an_image_has_a_tag_that_stays(pod):
    for container in pod['containers']:
        image, _, tag = container['image'].rpartition(':')
        assert image and re.fullmatch(r'\d[\w.-]*|[0-9a-f]{64}', tag), container['image']
