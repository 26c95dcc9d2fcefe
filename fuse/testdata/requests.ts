const text = new TextEncoder();

/** Makes a request. */
export function request(
  opcode: number,
  node: number | readonly [low: number, high: number],
  body: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(40 + body.length);
  const view = new DataView(bytes.buffer);
  const [low, high] = typeof node === "number" ? [node, 0] : node;
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, opcode, true);
  view.setUint32(8, 77, true);
  view.setUint32(16, low, true);
  view.setUint32(20, high, true);
  bytes.set(body, 40);
  return bytes;
}

/** A body of a name. */
export function nameBody(name: string): Uint8Array {
  return text.encode(`${name}\0`);
}

/** A body of numbers of 32 bits. */
export function wordsBody(...words: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** The body of READ, READDIR and READDIRPLUS. */
export function readBody(offset: number, size: number): Uint8Array {
  const high = Math.floor(offset / 2 ** 32);
  return wordsBody(0, 0, offset, high, size, 0, 0, 0, 0, 0);
}

/** The body of LSEEK. */
export function seekBody(offset: number, whence: number): Uint8Array {
  return wordsBody(0, 0, offset, Math.floor(offset / 2 ** 32), whence, 0);
}

/** The body of GETXATTR and LISTXATTR. */
export function xattrBody(size: number, name?: string): Uint8Array {
  const rest = name === undefined ? new Uint8Array(0) : nameBody(name);
  return Uint8Array.from([...wordsBody(size, 0), ...rest]);
}

/** The body of INIT. */
export function initBody(minor: number, flags: number): Uint8Array {
  return wordsBody(7, minor, 131072, flags, ...new Array(12).fill(0));
}

/** The error number of a reply, positive. */
export function errnoOf(reply: Uint8Array): number {
  const view = new DataView(reply.buffer, reply.byteOffset);
  return Math.abs(view.getInt32(4, true));
}

/** A number of 32 bits in the body of a reply. */
export function wordAt(reply: Uint8Array, at: number): number {
  return new DataView(reply.buffer, reply.byteOffset).getUint32(16 + at, true);
}
