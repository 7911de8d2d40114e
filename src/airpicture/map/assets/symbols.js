// The sheet of symbols: drawn once on a canvas, red where a symbol is filled and green where its edge is. North is up.

const CELL = 64, HALF = CELL / 2;

// Names in the order of their cells. The first five are the kinds of `Picture.kind`; the others stand for sources.
export const SHAPES = ["aircraft", "fast", "slow", "surface", "still", "ring", "square", "diamond", "arrow", "cross"];
export const TURNS = new Set([0, 1, 2, 3, 8]); // symbols that point where they go

const POLYGONS = {
  aircraft: [[0, -25], [3.4, -20], [4, -8], [25, 8], [25, 13], [4, 6], [3.2, 17], [10, 22.5], [10, 26], [0, 23.5]],
  fast: [[0, -27], [4, -12], [21, 19], [21, 23], [6, 19], [4, 25], [0, 22]],
  slow: [[0, -20], [3, -17], [3.4, -9], [23, -7], [23, -1], [3.4, 1], [2.6, 14], [9, 16], [9, 20], [0, 19]],
  surface: [[0, -22], [9, -8], [9, 20], [0, 16]],
  arrow: [[0, -23], [15, 20], [0, 11]],
};

function mirrored(points) {
  return [...points, ...points.slice().reverse().map(([x, y]) => [-x, y])];
}

function path(c, name) {
  c.beginPath();
  const points = POLYGONS[name];
  if (points) mirrored(points).forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
  else if (name === "still") c.arc(0, 0, 11, 0, 2 * Math.PI);
  else if (name === "ring") c.arc(0, 0, 15, 0, 2 * Math.PI);
  else if (name === "square") c.rect(-14, -14, 28, 28);
  else if (name === "diamond") { c.moveTo(0, -20); c.lineTo(20, 0); c.lineTo(0, 20); c.lineTo(-20, 0); }
  else if (name === "cross") for (const [x, y, w, h] of [[-4, -19, 8, 38], [-19, -4, 38, 8]]) c.rect(x, y, w, h);
  c.closePath();
}

// The sheet as a canvas of one row.
export function sheet() {
  const canvas = document.createElement("canvas");
  canvas.width = CELL * SHAPES.length;
  canvas.height = CELL;
  const c = canvas.getContext("2d");
  c.fillStyle = "#000";
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.globalCompositeOperation = "lighter";
  SHAPES.forEach((name, k) => {
    c.save();
    c.translate(k * CELL + HALF, HALF);
    path(c, name);
    c.fillStyle = "#f00";
    c.fill();
    c.lineJoin = "round";
    c.lineWidth = 5;
    c.strokeStyle = "#0f0";
    c.stroke();
    c.restore();
  });
  return canvas;
}

// One symbol on its own, for legends and panels.
export function draw(canvas, shape, colour, size = 18) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.height = size * ratio;
  const c = canvas.getContext("2d"), scale = (size * ratio) / CELL;
  c.setTransform(scale, 0, 0, scale, HALF * scale, HALF * scale);
  path(c, SHAPES[shape]);
  c.fillStyle = colour;
  c.fill();
}
