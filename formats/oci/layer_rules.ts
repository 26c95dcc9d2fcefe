import { EntryKind } from "@snap/manifest/extras";
import type { SnapshotDraft } from "@snap/save/draft";
import type { TarRules } from "../tar/add_tar.ts";

/** What the name of an entry begins with that says what goes. */
export const WHITEOUT = ".wh.";
/** The name that says that all of a directory goes that lower layers have put there. */
const OPAQUE = ".wh..wh..opq";
const SLASH = 0x2f;

/**
 * What the entries of one layer say of the layers below: names that go, and
 * directories that begin anew. Nothing of the layer itself goes.
 */
export class LayerRules implements TarRules {
  readonly #draft: SnapshotDraft;
  readonly #own = new Set<number>();

  /** Rules of a layer of which nothing was added yet. */
  constructor(draft: SnapshotDraft) {
    this.#draft = draft;
  }

  /** @inheritDoc */
  added(node: number): void {
    this.#own.add(node);
  }

  /** @inheritDoc */
  hides(path: Uint8Array): boolean {
    const start = path.lastIndexOf(SLASH) + 1;
    const name = String.fromCharCode(...path.subarray(start, start + 256));
    if (!name.startsWith(WHITEOUT)) return isMetadata(path);
    const place = this.#draft.place(path);
    if (place === undefined || place.directory < 0) return true;
    if (name === OPAQUE) this.#empty(place.directory);
    else if (!name.startsWith(WHITEOUT, WHITEOUT.length)) {
      this.#hide(place.directory, name.slice(WHITEOUT.length));
    }
    return true;
  }

  /** Removes what lower layers have put into a directory. */
  #empty(directory: number): void {
    for (const name of this.#draft.names.list(directory)) {
      this.#hide(directory, name);
    }
  }

  #hide(directory: number, name: string): void {
    const node = this.#draft.names.find(directory, name);
    if (node === undefined) return;
    const isDirectory = this.#draft.nodes.kind(node) === EntryKind.directory;
    if (isDirectory) this.#empty(node);
    const isLeft = isDirectory && this.#draft.names.has(node);
    if (!this.#own.has(node) && !isLeft) {
      this.#draft.remove({ directory, name });
    }
  }
}

/** Whether a path is in a folder that aufs, a file system of layers, keeps for itself. */
function isMetadata(path: Uint8Array): boolean {
  const start = String.fromCharCode(...path.subarray(0, 10));
  return /^(\.\/)?\.wh\.\.wh\./.test(start);
}
