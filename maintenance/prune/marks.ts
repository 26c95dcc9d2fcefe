import { type Location, PackRole } from "@snap/pack";

/** Bytes of a pack for each object and each frame, beside what is stored of them. */
const OBJECT_ROW_SIZE = 48, FRAME_ROW_SIZE = 20;
/** Bytes of header and footer of a pack. */
const ENDS_SIZE = 136;

/** A set of whole numbers, one bit each. */
class Bits {
  #bytes = new Uint8Array(1 << 16);

  /** Adds a number; says whether it was new. */
  add(number: number): boolean {
    const at = Math.floor(number / 8), bit = 1 << number % 8;
    if (at >= this.#bytes.length) {
      const larger = new Uint8Array(Math.max(at + 1, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const isNew = (this.#bytes[at] & bit) === 0;
    this.#bytes[at] |= bit;
    return isNew;
  }

  has(number: number): boolean {
    return (this.#bytes[Math.floor(number / 8)] & 1 << number % 8) !== 0;
  }
}

/** What of a pack is needed. */
export class PackUse {
  /** What the pack holds. */
  readonly role: PackRole;
  /** Objects that are needed. */
  objectCount = 0;
  /** Bytes of the pack that are needed. */
  byteCount: number = ENDS_SIZE;

  constructor(role: PackRole) {
    this.role = role;
  }

  /** The share of a pack that is not needed, 0 to 1. */
  unusedOf(size: number): number {
    return Math.max(0, 1 - this.byteCount / size);
  }
}

/** The objects that are needed, one copy of each: a bit for each row of an index. */
export class Marks {
  /** Objects that are needed. */
  objectCount = 0;
  /** By name what of each pack is needed: packs of which nothing is are not there. */
  readonly uses: Map<string, PackUse> = new Map();
  readonly #objects = new Bits();
  readonly #frames = new Bits();
  /** By number of the pack, which is faster than by name. */
  readonly #numbered: PackUse[] = [];

  /** Marks a copy as the one that is kept; says whether it was not before. */
  add(place: Location): boolean {
    if (!this.#objects.add(place.objectKey)) return false;
    this.objectCount++;
    const use = this.#numbered[place.packNumber] ??= this.#useOf(place);
    use.objectCount++;
    // A whole frame adds up to what is stored of it.
    use.byteCount += OBJECT_ROW_SIZE +
      place.storedSize * place.size / place.plainSize;
    if (this.#frames.add(place.frameKey)) use.byteCount += FRAME_ROW_SIZE;
    return true;
  }

  /** Whether a copy is the one that is kept. */
  has(place: Location): boolean {
    return this.#objects.has(place.objectKey);
  }

  #useOf({ packName, role }: Location): PackUse {
    let use = this.uses.get(packName);
    if (use === undefined) {
      use = new PackUse(
        role === PackRole.data ? PackRole.data : PackRole.trees,
      );
      this.uses.set(packName, use);
    }
    return use;
  }
}
