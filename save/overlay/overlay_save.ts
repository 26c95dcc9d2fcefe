import type { Source } from "@snap/disk/source";
import { ID_SIZE, idToBytes } from "@snap/hash";
import type { ObjectWriter } from "@snap/pack/write";
import type { Snapshots } from "@snap/snapshot";
import type { ObjectReads } from "@snap/snapshot/reach";
import { findRecord, type Totals } from "@snap/snapshot/records";
import { DirectoryWriter, MetadataPacker } from "@snap/snapshot/write";
import { NotFoundError, type WriteStore } from "@snap/store";
import type { SaveOptions } from "../options.ts";
import { KeptTrees } from "../walk/kept_trees.ts";
import { OverlayError } from "./overlay_error.ts";
import { OverlayMerge } from "./overlay_merge.ts";

/** A save of the upper directory of an overlay: what is walked is merged with the snapshot below. */
export class OverlaySave {
  /** Names the trees of the upper directory, which go into no store. */
  readonly trees: KeptTrees;
  readonly #writer: ObjectWriter;
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #lower: ObjectReads;
  readonly #options: SaveOptions;

  private constructor(
    snapshots: Snapshots<WriteStore>,
    writer: ObjectWriter,
    parts: { readonly lower: ObjectReads; readonly options: SaveOptions },
  ) {
    this.trees = new KeptTrees(snapshots.hasher, { isKeeping: true });
    this.#snapshots = snapshots;
    this.#writer = writer;
    this.#lower = parts.lower;
    this.#options = parts.options;
  }

  /**
   * Sees that the snapshot below is there. Its contents are believed to be, as its
   * record needs them.
   *
   * @param options With `overlay`.
   * @throws {OverlayError} If it is not, or may be on its way out.
   */
  static async open(
    snapshots: Snapshots<WriteStore>,
    writer: ObjectWriter,
    options: SaveOptions & { readonly source: Pick<Source, "fidelity"> },
  ): Promise<OverlaySave> {
    if (options.source.fidelity === "reduced") {
      throw new OverlayError(
        "Cannot save an overlay without native calls: what was removed cannot be seen",
        "run it on Linux, with --allow-ffi or with koffi installed",
      );
    }
    if (!writer.trustsRecords) {
      throw new OverlayError(
        "Cannot save an overlay while packs are missing, damaged or being removed",
        "verify names what is damaged; a prune that was begun ends when it is run again",
      );
    }
    const { lower } = options.overlay!;
    try {
      await findRecord(snapshots.store, lower, snapshots);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      throw new OverlayError(
        `Cannot save an overlay of ${lower.tree}: the store has no such snapshot`,
        "it was forgotten, or is in another store",
      );
    }
    const reader = await snapshots.reader();
    return new OverlaySave(snapshots, writer, { lower: reader, options });
  }

  /**
   * Merges what was walked with the snapshot below.
   *
   * @param ids The ids of the upper directory: of its tree, then of its page.
   * @returns The ids and totals of both together.
   */
  async merge(
    ids: Uint8Array,
  ): Promise<{ readonly ids: Uint8Array; readonly totals: Totals }> {
    const writer = this.#writer;
    const { lower } = this.#options.overlay!;
    const packer = new MetadataPacker(writer.sink(), this.#snapshots.hasher);
    const mark = new DataView(writer.saveId.buffer, writer.saveId.byteOffset);
    const merge = new OverlayMerge({
      upper: this.trees,
      lower: this.#lower,
      lowerTotals: lower.totals,
      writer: new DirectoryWriter(packer),
      // No other save has these; 0 is the device of the root.
      inodes: {
        device: 1 + mark.getUint16(0) % 0xffff,
        inodeHigh: mark.getUint32(2),
      },
      settled: async () => {
        if (writer.isFull) await writer.makeRoom();
        if (writer.isBehind) await writer.settled();
      },
      signal: this.#options.signal,
    });
    const lowerIds = new Uint8Array(2 * ID_SIZE);
    lowerIds.set(idToBytes(lower.tree));
    lowerIds.set(idToBytes(lower.page), ID_SIZE);
    const merged = await merge.merge(ids, lowerIds);
    return { ids: merged, totals: merge.totals };
  }
}
