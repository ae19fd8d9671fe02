// Small helps to make a page's elements, and the picture of a drawing or a piece.

import {LEFT, TOP, rollSides, rollText} from './files/roll.js';
import {lines, pathData, sides} from './files/svg.js';

const SVG = 'http://www.w3.org/2000/svg';
const LIGHT = 128; // Paper of more is light.

// An element with attributes, and children that are elements or text. `on` has listeners, `class`
// may be a list, and an attribute that is null, undefined or false is left out.
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svgEl(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') {
      for (const [type, listener] of Object.entries(value))
        element.addEventListener(type, listener);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, Array.isArray(value) ? value.join(' ') : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function button(text, action, attributes = {}) {
  return el('button', {type: 'button', on: {click: action}, ...attributes}, text);
}

// A picture of a drawing or a piece that needs no name, because what holds it has one.
export function picture(drawing) {
  if (drawing.pitch) return roll(drawing);
  return drawing.image ? bitmap(drawing) : vector(drawing);
}

// A piece's roll without what stands beside and above it, as wide and high as what holds it.
function roll(piece) {
  const text = rollText(piece);
  const found = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  const [width, height] = rollSides(piece);
  found.removeAttribute('width');
  found.removeAttribute('height');
  found.setAttribute('viewBox', `${LEFT} ${TOP} ${width - LEFT} ${height - TOP}`);
  found.setAttribute('preserveAspectRatio', 'none');
  found.setAttribute('class', 'roll on-light');
  found.setAttribute('aria-hidden', 'true');
  found.setAttribute('focusable', 'false');
  return document.adoptNode(found);
}

function vector(drawing) {
  const [width, height] = sides(drawing);
  const attributes = {
    viewBox: `0 0 ${width} ${height}`,
    'aria-hidden': 'true',
    focusable: 'false',
    class: inkClass(drawing.paper),
  };
  const ground = svgEl('rect', {class: 'paper', width, height, fill: drawing.paper});
  return svgEl('svg', attributes, ground, strokePaths(drawing));
}

// The strokes of a drawing, each a path that says which of them it is.
export function strokePaths(drawing) {
  return lines({drawing, x: 0, y: 0, scale: 1}).map(({places, colour, width}, i) => {
    return svgEl('path', {
      d: pathData(places),
      stroke: colour,
      'stroke-width': width.toFixed(1),
      class: 'stroke',
      'data-index': drawing.strokes[i].index,
    });
  });
}

function bitmap(drawing) {
  const [height, width, channels] = drawing.shape;
  const canvas = el('canvas', {
    width,
    height,
    'aria-hidden': 'true',
    class: ['pixels', inkClass(cornerOf(drawing))],
  });
  const data = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let i = 0; i < 3; i++) {
      data.data[4 * pixel + i] = drawing.image[pixel * channels + (channels > 1 ? i : 0)];
    }
    data.data[4 * pixel + 3] = 255;
  }
  canvas.getContext('2d').putImageData(data, 0, 0);
  return canvas;
}

function cornerOf({image, shape: [, , channels]}) {
  const level = image[0].toString(16).padStart(2, '0');
  return channels > 1 ? '#808080' : `#${level.repeat(3)}`;
}

// Ink on light paper is laid on the page's own ground; other pictures keep theirs.
function inkClass(paper) {
  const channels = [1, 3, 5].map((at) => parseInt(paper.slice(at, at + 2), 16));
  return Math.min(...channels) > LIGHT ? 'on-light' : 'on-dark';
}

// Lets the arrows, Home and End move the focus among children, of which one is a stop of Tab.
export function roving(container, selector) {
  const all = () => [...container.querySelectorAll(selector)];
  container.addEventListener('focusin', (event) => {
    const current = event.target.closest(selector);
    if (current) mark(all(), current);
  });
  container.addEventListener('keydown', (event) => {
    const from = event.target.closest?.(selector);
    if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = nextOf(event.key, all(), from);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({block: 'nearest'});
  });
  const update = () => {
    const items = all();
    const current = items.find((item) => item.tabIndex === 0) ?? items[0];
    if (current) mark(items, current);
  };
  new MutationObserver(update).observe(container, {childList: true, subtree: true});
  update();
}

function mark(items, current) {
  for (const item of items) item.tabIndex = item === current ? 0 : -1;
}

function nextOf(key, items, from) {
  const at = items.indexOf(from);
  if (key === 'ArrowRight') return items[at + 1];
  if (key === 'ArrowLeft') return items[at - 1];
  if (key === 'Home') return items[0];
  if (key === 'End') return items.at(-1);
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return null;
  const {left, top} = from.getBoundingClientRect();
  const isDown = key === 'ArrowDown';
  // The nearest of those that are in the same column of another row.
  const column = items.filter((item) => {
    const box = item.getBoundingClientRect();
    return (
      Math.abs(box.left - left) < box.width / 2 && (isDown ? box.top > top + 1 : box.top < top - 1)
    );
  });
  return isDown ? column[0] : column.at(-1);
}
