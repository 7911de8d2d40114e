// Slots that somebody still has to look at, each once however often it is named: a list with a mark for every member.

export class Rows {
  constructor() {
    this.list = new Uint32Array(512);
    this.mark = new Uint8Array(512);
    this.count = 0;
  }

  add(slot) {
    if (slot >= this.mark.length) this.grow(slot + 1);
    if (this.mark[slot]) return;
    this.mark[slot] = 1;
    this.list[this.count++] = slot;
  }

  all(n) { for (let slot = 0; slot < n; slot++) this.add(slot); }

  grow(least) {
    const size = Math.max(least, 2 * this.mark.length), list = new Uint32Array(size), mark = new Uint8Array(size);
    list.set(this.list);
    mark.set(this.mark);
    Object.assign(this, { list, mark });
  }

  // Hand over at most so many, the latest first; those at `n` and beyond have gone by now. Returns how many it was.
  take(most, n, visit) {
    let done = 0;
    while (this.count && done < most) {
      const slot = this.list[--this.count];
      this.mark[slot] = 0;
      if (slot < n) { visit(slot); done++; }
    }
    return done;
  }
}
