"""How soon the studio opens from one HTML file, and how soon a moved slider has changed a drawing.

scripts/studio MODEL prints the figures, of Chromium without a network. From a slider's event until
the next picture of the page is on the screen, 95 % of the moves take at most the time that is told.
"""

import argparse
import pathlib
import shutil
import statistics
import tempfile

import machine
from playwright.sync_api import sync_playwright

from tfgan.saved_model import bundle, layout
from tfgan.server import page as studio

NAMES = 'chromium', 'chromium-browser', 'google-chrome'
ARGUMENTS = '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'
OPENINGS, MOVES = 9, 200
FRAME_MS = 16  # between the moves of a hand
TIMERS = """
// From the file's opening to the first drawing, and from a slider's events to their pictures.
window.moves = [];
const seen = new MutationObserver(() => {
  if (!document.querySelector('main .drawing > *')) return;
  seen.disconnect();
  window.first = performance.now();
});
seen.observe(document, {childList: true, subtree: true});
addEventListener('input', (event) => {
  const start = event.timeStamp;
  requestAnimationFrame(() => {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => window.moves.push(performance.now() - start);
    painted.port2.postMessage(null);
  });
}, true);
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', nargs='?', default='saved_models/doodles')
    arguments = parser.parse_args()
    html = studio.html(bundle.bundle(layout.newest(arguments.model)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = pathlib.Path(folder) / 'studio.html'
        file.write_bytes(html)
        program = next(filter(None, map(shutil.which, NAMES)), None)
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        openings = [opening(chromium, file) for _ in range(OPENINGS)]
        moves = moved(chromium, file)
        print(f'{machine.describe()}; Chromium {chromium.version}\n')
        chromium.close()
    print('| figure | value |\n|---|---|')
    print(f'| size of the file | {len(html) / 1e6:.2f} MB |')
    worst = f'median of {OPENINGS}, at most {max(openings):.0f}'
    print(f'| first drawing after opening | {statistics.median(openings):.0f} ms ({worst}) |')
    if moves:
        p95 = statistics.quantiles(moves, n=20)[-1]
        median = f'median {statistics.median(moves):.0f}, {len(moves)} moves'
        print(f'| slider to drawing, p95 | {p95:.0f} ms ({median}) |')


def opened(chromium, file):
    page = chromium.new_page()
    page.add_init_script(TIMERS)
    page.context.set_offline(True)
    page.goto(file.as_uri())
    page.wait_for_selector('main .drawing > *', timeout=120_000)
    return page


def opening(chromium, file):
    """Milliseconds until the first drawing is there."""
    page = opened(chromium, file)
    first = page.evaluate('window.first')
    page.close()
    return first


def moved(chromium, file):
    """Milliseconds from each move of a slider by a mouse to its picture; none without sliders."""
    page = opened(chromium, file)
    page.locator('main .drawing').first.click()
    slider = page.locator('.slider input').first
    if not slider.count():
        return []
    box = slider.bounding_box()
    middle, reach = box['x'] + box['width'] / 2, box['width'] / 2 - 8
    page.mouse.move(middle, box['y'] + box['height'] / 2)
    page.mouse.down()
    for move in range(MOVES):
        there = move % 40 / 20 - 1
        page.mouse.move(middle + reach * there, box['y'] + box['height'] / 2)
        page.wait_for_timeout(FRAME_MS)
    page.mouse.up()
    page.wait_for_timeout(500)
    return page.evaluate('window.moves')


if __name__ == '__main__':
    main()
