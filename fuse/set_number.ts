/** Writes a whole number, up to 2^53 - 1 on either side of 0, as 64 bits. */
export function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
