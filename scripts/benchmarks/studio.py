"""Measures the studio's page of a model as one HTML file, opened from disk without a network:

    python scripts/benchmarks/studio.py saved_models/doodles

prints its size, the time to the first drawing, and that from a slider's move to the new picture.
"""

import pathlib
import shutil
import statistics
import sys
import tempfile

from playwright.sync_api import sync_playwright

from tfgan.saved_model import bundle, layout
from tfgan.server import page as studio

ROUNDS, MOVES = 10, 100
NAMES = 'chromium', 'chromium-browser', 'google-chrome'
ARGUMENTS = '--no-sandbox', '--disable-gpu'
FIRST = """
window.painted = new Promise((resolve) => {
  const told = () => requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  new MutationObserver((_, observer) => {
    if (!document.querySelector('main svg path')) return;
    observer.disconnect();
    told();
  }).observe(document, {childList: true, subtree: true});
});
"""
# A move is over when the frame after the next one begins: the picture is on the screen by then.
SLIDE = """async (moves) => {
  document.querySelector('main .drawing').click();
  const slider = document.querySelector('input[id^=slider-]');
  if (!slider) return [];
  const [low, high] = [Number(slider.min), Number(slider.max)];
  const frame = () => new Promise(requestAnimationFrame);
  const taken = [];
  for (let i = 0; i < moves; i++) {
    await frame();
    const began = performance.now();
    slider.value = low + ((high - low) * i) / moves;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await frame();
    await new Promise((resolve) => setTimeout(resolve));
    taken.push(performance.now() - began);
  }
  return taken;
}"""


def main():
    data = studio.html(bundle.bundle(layout.newest(sys.argv[1])))
    print(f'size {len(data) / 1e6:.2f} MB')
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = pathlib.Path(folder, 'page.html')
        path.write_bytes(data)
        program = next(filter(None, map(shutil.which, NAMES)), None)
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        told('first drawing', [first(browser, path) for _ in range(ROUNDS)])
        if taken := slid(browser, path):
            told('a slider moved', taken)


def first(browser, path) -> float:
    """Milliseconds from the opening of the page to its first drawing on the screen."""
    with browser.new_context(offline=True) as context:
        context.add_init_script(FIRST)
        page = context.new_page()
        page.goto(path.as_uri())
        return page.evaluate('window.painted')


def slid(browser, path) -> list[float]:
    """Milliseconds of each of many moves of a slider; none of a model without sliders."""
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector('main svg path')
        return page.evaluate(SLIDE, MOVES)


def told(name, taken):
    """Prints the median and the 95th percentile of times in milliseconds."""
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(f'{name}: median {statistics.median(taken):.0f} ms, p95 {p95:.0f} ms')


if __name__ == '__main__':
    main()
