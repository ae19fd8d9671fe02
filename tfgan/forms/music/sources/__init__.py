"""The kinds of data set that music comes from."""

import os

from tfgan.data.source import Kind
from tfgan.forms.music.sources import jsb

SOURCES = {
    'jsb': Kind('an existing file', os.path.isfile, jsb.open_jsb, 'jsb:my/jsb16.json'),
}
