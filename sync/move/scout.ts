import { idFromBytes } from "@snap/hash";
import {
  type RecipeNode,
  type RecipeReader,
  RecipeRowKind,
} from "@snap/pack/recipe";

/** Plain bytes of chunks that are asked for together: they may come by one request. */
const STRIDE = 8 << 20;

/** Goes ahead of a reader of a recipe. */
export class Scout {
  readonly #reader: RecipeReader;
  readonly #hint: (ids: Uint8Array, idStart: number) => void;
  readonly #nodes = new Map<string, RecipeNode>();

  constructor(
    reader: RecipeReader,
    hint: (ids: Uint8Array, idStart: number) => void,
  ) {
    this.#reader = reader;
    this.#hint = hint;
  }

  /** Takes a node that was met. */
  know(node: RecipeNode): void {
    this.#nodes.set(idFromBytes(node.id), node);
  }

  /** Asks for all chunks that begin before an offset, once these are many. */
  goTo(offset: number): void {
    const reader = this.#reader;
    if (offset - reader.offset < STRIDE) return;
    while (reader.offset < offset) {
      const step = reader.next();
      if (step === "end") return;
      if (step === "row") {
        if (reader.rowKind === RecipeRowKind.zeros) continue;
        this.#hint(reader.ids, reader.idStart);
        continue;
      }
      const key = idFromBytes(reader.wanted);
      const node = this.#nodes.get(key);
      if (node === undefined) return;
      this.#nodes.delete(key);
      reader.give(node);
    }
  }
}
