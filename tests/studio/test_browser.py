"""The tests' own browser sees every fault of a page."""

import pytest
from browser import EMPTY, studio_page


@pytest.mark.parametrize(
    ('does', 'fault'),
    [
        ("console.error('why')", 'why'),
        ("setTimeout(() => { throw new Error('thrown') })", 'thrown'),
        ("fetch('https://example.org/')", 'example.org'),
        ("new Image().src = 'http://localhost/other.png'", 'other.png'),
        ('document.body.innerHTML = \'<p style="color: red">\'', 'style'),
        ('document.body.innerHTML = \'<img src=x onerror="alert(1)">\'', 'inline event handler'),
    ],
)
def test_a_fault_of_a_page_fails_its_test(browser, does, fault):
    with pytest.raises(AssertionError, match=fault):
        _does(browser, does)


def _does(browser, does):
    with studio_page(browser, b'', path=EMPTY) as page:
        page.evaluate(f'() => {{ {does} }}')
        page.wait_for_timeout(300)


def test_a_page_without_faults_passes(browser):
    with studio_page(browser, b'', width=320, path=EMPTY) as page:
        assert page.evaluate('window.innerWidth') == 320
        body = page.evaluate("fetch('models.json').then((answer) => answer.json())")
        assert body == {'models': [{'name': 'toy', 'version': 1}]}
