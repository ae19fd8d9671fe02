"""What a run remembers of a data set is kept with the tests' own cache, not with the user's."""

import os


def pytest_configure(config):
    # In the environment, because commands run as processes of their own.
    os.environ['XDG_CACHE_HOME'] = str(config.rootpath / '.pytest_cache' / 'xdg')
