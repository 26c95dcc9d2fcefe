import { WORD } from "./_bytes.ts";
import { growF64, growU16, growU32 } from "./_columns.ts";
import type { PageLayout } from "./_page_layout.ts";

/** What stands for the owner of a row that has none yet. */
export const NO_OWNER = 0xffff_ffff;

/** The numbers of the rows of a page that is being built, a column each. */
export class PageColumns {
  /** Modification time, seconds. */
  mtimeSec: Float64Array = new Float64Array(0);
  /** Change time, seconds. */
  ctimeSec: Float64Array = new Float64Array(0);
  /** Modification time, nanoseconds. */
  mtimeNs: Uint32Array = new Uint32Array(0);
  /** Change time, nanoseconds. */
  ctimeNs: Uint32Array = new Uint32Array(0);
  /** Inode number, lower word. */
  inodeLow: Uint32Array = new Uint32Array(0);
  /** Inode number, upper word. */
  inodeHigh: Uint32Array = new Uint32Array(0);
  /** Link count. */
  nlink: Uint32Array = new Uint32Array(0);
  /** Number of the owner in the builder's table. */
  owner: Uint32Array = new Uint32Array(0);
  /** Permission bits. */
  mode: Uint16Array = new Uint16Array(0);
  /** Device number. */
  device: Uint16Array = new Uint16Array(0);

  /** Makes room for `rows` rows. */
  makeRoom(rows: number): void {
    if (rows <= this.owner.length) return;
    this.owner = growU32(this.owner, rows);
    const room = this.owner.length;
    this.mtimeSec = growF64(this.mtimeSec, room);
    this.ctimeSec = growF64(this.ctimeSec, room);
    this.mtimeNs = growU32(this.mtimeNs, room);
    this.ctimeNs = growU32(this.ctimeNs, room);
    this.inodeLow = growU32(this.inodeLow, room);
    this.inodeHigh = growU32(this.inodeHigh, room);
    this.nlink = growU32(this.nlink, room);
    this.mode = growU16(this.mode, room);
    this.device = growU16(this.device, room);
  }

  /** Sets every number of a row to 0, and its owner to none. */
  zero(row: number): void {
    this.mtimeSec[row] = this.ctimeSec[row] = 0;
    this.mtimeNs[row] = this.ctimeNs[row] = 0;
    this.inodeLow[row] = this.inodeHigh[row] = 0;
    this.nlink[row] = this.mode[row] = this.device[row] = 0;
    this.owner[row] = NO_OWNER;
  }

  /** Writes all columns but the owners' into a page. */
  write(view: DataView, layout: PageLayout, rows: number): void {
    writeSeconds(view, layout.mtimeSec, this.mtimeSec, rows);
    writeSeconds(view, layout.ctimeSec, this.ctimeSec, rows);
    for (let row = 0; row < rows; row++) {
      view.setUint32(layout.inode + 8 * row, this.inodeLow[row], true);
      view.setUint32(layout.inode + 8 * row + 4, this.inodeHigh[row], true);
    }
    writeWords(view, layout.mtimeNs, this.mtimeNs, rows);
    writeWords(view, layout.ctimeNs, this.ctimeNs, rows);
    writeWords(view, layout.nlink, this.nlink, rows);
    for (let row = 0; row < rows; row++) {
      view.setUint16(layout.mode + 2 * row, this.mode[row], true);
      view.setUint16(layout.device + 2 * row, this.device[row], true);
    }
  }
}

function writeSeconds(
  view: DataView,
  at: number,
  column: Float64Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    const seconds = column[row];
    view.setUint32(at + 8 * row, seconds, true); // Takes the number modulo 2^32.
    view.setInt32(at + 8 * row + 4, Math.floor(seconds / WORD), true);
  }
}

function writeWords(
  view: DataView,
  at: number,
  column: Uint32Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    view.setUint32(at + 4 * row, column[row], true);
  }
}
