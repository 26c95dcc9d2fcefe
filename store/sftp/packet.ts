/** Packets of SFTP 3: a length, a type, a number, and fields. */

/** Types of packets. */
export const PACKET = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  stat: 17,
  rename: 18,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** Largest packet in bytes, without its length: what OpenSSH sends and takes. */
export const PACKET_SIZE_MAX: number = 256 * 1024;

/** A field: a u32, a u64, or bytes with their length before them. */
export type Field = number | bigint | string | Uint8Array;

/** Bytes of a packet other than what they must be. */
export class PacketError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PacketError";
  }
}

const LENGTH_SIZE = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes a packet, its length before it. */
export function encodePacket(
  type: number,
  fields: readonly Field[],
): Uint8Array {
  const all = fields.map((field) =>
    typeof field === "string" ? encoder.encode(field) : field
  );
  const size = all.reduce<number>((sum, field) => sum + sizeOf(field), 1);
  const bytes = new Uint8Array(LENGTH_SIZE + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size);
  bytes[LENGTH_SIZE] = type;
  let at = LENGTH_SIZE + 1;
  for (const field of all) {
    if (typeof field === "bigint") view.setBigUint64(at, field);
    else if (typeof field === "number") view.setUint32(at, field);
    else {
      view.setUint32(at, field.length);
      bytes.set(field, at + LENGTH_SIZE);
    }
    at += sizeOf(field);
  }
  return bytes;
}

function sizeOf(field: Exclude<Field, string>): number {
  if (typeof field === "bigint") return 8;
  return typeof field === "number" ? 4 : LENGTH_SIZE + field.length;
}

/** A packet that came: its fields are read one after the other. */
export class Packet {
  readonly type: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.type = bytes[0];
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** A u64 that is a size or a count. */
  u64(): number {
    const value = Number(this.#view.getBigUint64(this.#take(8)));
    if (Number.isSafeInteger(value)) return value;
    throw new PacketError(`a number must be below 2^53: found ${value}`);
  }

  /** Bytes with their length before them: a part of the packet, no copy. */
  bytes(): Uint8Array {
    const size = this.u32();
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** Passes bytes by that nobody needs. */
  skip(size: number): void {
    this.#take(size);
  }

  text(): string {
    return decoder.decode(this.bytes());
  }

  /** Passes a field by, and returns where it begins. */
  #take(size: number): number {
    const at = this.#at;
    const left = this.#bytes.length - at;
    if (size > left) {
      throw new PacketError(`a field needs ${size} bytes: found ${left}`);
    }
    this.#at += size;
    return at;
  }
}

/** Puts together packets of what comes in pieces of any size. */
export class PacketAssembler {
  readonly #head = new Uint8Array(LENGTH_SIZE);
  #headSize = 0;
  /** The packet that has come in part, and how much of it. */
  #body: Uint8Array | undefined;
  #bodySize = 0;
  #isFirst = true;

  /** Takes a piece, and gives the packets that are whole with it. */
  *push(piece: Uint8Array): Generator<Packet> {
    let at = 0;
    while (at < piece.length) {
      if (this.#body === undefined) {
        at += fill(this.#head, this.#headSize, piece, at, (size) => {
          this.#headSize = size;
        });
        if (this.#headSize < LENGTH_SIZE) return;
        const size = this.#sizeAhead(piece.subarray(at));
        this.#headSize = 0;
        if (size <= piece.length - at) {
          yield new Packet(piece.subarray(at, at + size));
          at += size;
          continue;
        }
        this.#body = new Uint8Array(size);
        this.#bodySize = 0;
      }
      const body = this.#body;
      at += fill(body, this.#bodySize, piece, at, (size) => {
        this.#bodySize = size;
      });
      if (this.#bodySize < body.length) return;
      this.#body = undefined;
      yield new Packet(body);
    }
  }

  #sizeAhead(rest: Uint8Array): number {
    const size = new DataView(this.#head.buffer).getUint32(0);
    if (size > 0 && size <= PACKET_SIZE_MAX) {
      this.#isFirst = false;
      return size;
    }
    const text = this.#isFirst ? greetingIn(this.#head, rest) : undefined;
    throw text === undefined
      ? new PacketError(
        `a packet must have 1 to ${PACKET_SIZE_MAX} bytes: found ${size}`,
      )
      : new GreetingError(text);
  }
}

/** A text stood where the first packet must be. */
export class GreetingError extends PacketError {
  constructor(text: string) {
    super(`it begins with a text: ${JSON.stringify(text)}`);
    this.name = "GreetingError";
  }
}

/** The first line of a text, if it is one. */
function greetingIn(head: Uint8Array, rest: Uint8Array): string | undefined {
  const bytes = new Uint8Array([...head, ...rest.subarray(0, 76)]);
  const [line] = decoder.decode(bytes).trim().split(/[\r\n]/);
  const isText = head.every((byte) => byte >= 9 && byte < 127);
  return isText ? line.replace(/[\p{Cc}\p{Cf}\ufffd]/gu, "") : undefined;
}

/** Copies as much as there is and fits; returns how much. */
function fill(
  target: Uint8Array,
  done: number,
  piece: Uint8Array,
  at: number,
  tell: (done: number) => void,
): number {
  const part = piece.subarray(at, at + target.length - done);
  target.set(part, done);
  tell(done + part.length);
  return part.length;
}
