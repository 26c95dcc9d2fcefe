/** A path within a directory; the directory may be the empty path. */
export function joinName(
  directory: Uint8Array,
  names: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  if (directory.length === 0) return names.slice(start, end);
  const path = new Uint8Array(directory.length + 1 + end - start);
  path.set(directory);
  path[directory.length] = 0x2f;
  path.set(names.subarray(start, end), directory.length + 1);
  return path;
}

/** Tells whether two runs of bytes are the same; paths differ at their ends. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}
