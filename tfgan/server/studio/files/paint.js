// Pictures of drawings as pixels, painted on a canvas.

import {UNITS, lines, sides} from './svg.js';

const MOST_PIXELS = 100_000_000; // of a picture

// A picture's pixels {width, height, rgba, picture, size}, of which `size` are a drawing's longer side.
export function pixelsOf(picture, size) {
  const unit = size / UNITS;
  const [width, height] = [picture.width, picture.height].map((side) =>
    Math.max(1, Math.round(unit * side)),
  );
  if (width * height > MOST_PIXELS)
    throw new RangeError(`${width} x ${height} pixels are too many`);
  const pen = canvas(width, height).getContext('2d', {willReadFrequently: true});
  pen.fillStyle = picture.ground ?? '#ffffff';
  pen.fillRect(0, 0, width, height);
  pen.scale(unit, unit);
  for (const part of picture.parts) paint(pen, part);
  return {width, height, rgba: pen.getImageData(0, 0, width, height).data, picture, size};
}

function canvas(width, height) {
  return Object.assign(document.createElement('canvas'), {width, height});
}

function paint(pen, part) {
  const {drawing, x, y, scale, isBare} = part;
  const [width, height] = sides(drawing).map((side) => scale * side);
  pen.save();
  if (!isBare) {
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.fillStyle = drawing.paper ?? '#808080';
    pen.fillRect(x, y, width, height);
  }
  if (drawing.image) {
    pen.imageSmoothingEnabled = false;
    pen.drawImage(imageCanvas(drawing), x, y, width, height);
  } else {
    for (const line of lines(part)) stroke(pen, line);
  }
  pen.restore();
}

function stroke(pen, {places, colour, width}) {
  pen.lineCap = pen.lineJoin = 'round';
  [pen.strokeStyle, pen.lineWidth] = [colour, width];
  pen.beginPath();
  pen.moveTo(...places[0]);
  for (let i = 1; i + 2 < places.length; i += 3)
    pen.bezierCurveTo(...places[i], ...places[i + 1], ...places[i + 2]);
  pen.stroke();
}

function imageCanvas({image, shape: [height, width, channels]}) {
  const found = canvas(width, height);
  const data = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let i = 0; i < 3; i++)
      data.data[4 * pixel + i] = image[channels * pixel + (channels > 1 ? i : 0)];
    data.data[4 * pixel + 3] = 255;
  }
  found.getContext('2d').putImageData(data, 0, 0);
  return found;
}
