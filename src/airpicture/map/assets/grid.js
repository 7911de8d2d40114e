// Boxes on the screen, found by the cells that they lie in. Its memory is used again each time: places are looked for several times a
// second, among thousands of boxes.

const CELL = 48;

export class Grid {
  constructor() {
    this.heads = new Int32Array(0); // of each cell the last link to a box in it, -1 none
    this.boxes = new Float64Array(4 * 1024);
    this.ids = new Float64Array(1024); // whose box it is
    this.links = new Int32Array(2 * 4096); // box, and the link before it in that cell
    this.clear(1, 1);
  }

  // Forget all boxes, of a screen of this size.
  clear(width, height) {
    this.columns = Math.max(1, Math.ceil(width / CELL));
    this.rows = Math.max(1, Math.ceil(height / CELL));
    if (this.heads.length !== this.columns * this.rows) this.heads = new Int32Array(this.columns * this.rows);
    this.heads.fill(-1);
    this.count = this.linked = 0;
  }

  // Put a box where it is; what lies beyond the screen's edge is at the edge.
  take(l, t, r, b, id) {
    if (this.count === this.ids.length) { this.boxes = grown(this.boxes); this.ids = grown(this.ids); }
    const box = this.count++, at = 4 * box;
    this.boxes[at] = l;
    this.boxes[at + 1] = t;
    this.boxes[at + 2] = r;
    this.boxes[at + 3] = b;
    this.ids[box] = id;
    const i1 = this.column(r), j1 = this.row(b);
    for (let i = this.column(l); i <= i1; i++) for (let j = this.row(t); j <= j1; j++) {
      if (2 * this.linked === this.links.length) this.links = grown(this.links);
      const cell = i * this.rows + j;
      this.links[2 * this.linked] = box;
      this.links[2 * this.linked + 1] = this.heads[cell];
      this.heads[cell] = this.linked++;
    }
  }

  // Whether no box but one's own lies across a place; those with numbers from `soft` to before `hard` may.
  free(l, t, r, b, id, soft = 0, hard = 0) {
    const { boxes, ids, links } = this, i1 = this.column(r), j1 = this.row(b);
    for (let i = this.column(l); i <= i1; i++) for (let j = this.row(t); j <= j1; j++) {
      for (let link = this.heads[i * this.rows + j]; link >= 0; link = links[2 * link + 1]) {
        const box = links[2 * link], at = 4 * box;
        if (box >= soft && box < hard) continue;
        if (ids[box] !== id && boxes[at] < r && boxes[at + 2] > l && boxes[at + 1] < b && boxes[at + 3] > t) return false;
      }
    }
    return true;
  }

  column(x) { return Math.max(0, Math.min(this.columns - 1, Math.floor(x / CELL))); }
  row(y) { return Math.max(0, Math.min(this.rows - 1, Math.floor(y / CELL))); }
}

function grown(array) {
  const made = new array.constructor(2 * array.length);
  made.set(array);
  return made;
}
