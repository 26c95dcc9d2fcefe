import type { Hasher } from "@snap/hash";
import { parseCodec } from "@snap/pack/codecs";
import { runAtOnce } from "@snap/posix/pacer";
import { ClaimTable } from "./claim_table.ts";
import { FileSaver } from "../read/batch_reader.ts";
import { InHand } from "../read/in_hand.ts";
import { KnownIndex } from "./stored_objects.ts";
import { ObjectSaver } from "./content_packer.ts";
import type { FinishedPackFile } from "./pack_files.ts";
import type {
  BatchResult,
  FileBatch,
  IndexConfig,
  RecipeNode,
  SaverConfig,
} from "../messages.ts";
import type { Lane } from "../read/large_file_ring.ts";

/** What a saver needs that cannot be sent to a worker. */
export interface SaverTools {
  readonly hasher: Hasher;
  readonly random: (size: number) => Uint8Array;
  readonly onPack: (pack: FinishedPackFile) => void;
  readonly onRecipes: (nodes: readonly RecipeNode[]) => void;
}

/** Reads batches of files and packs their content, in a worker or not. */
export class Saver implements Disposable {
  /** Where content goes. */
  readonly objects: ObjectSaver;
  readonly #config: SaverConfig;
  readonly #tools: SaverTools;
  readonly #files: FileSaver;
  readonly #stop: Int32Array;
  #known: KnownIndex;

  /**
   * Constructs a new instance and opens the index.
   *
   * @param config What to do.
   * @param tools What to do it with.
   */
  constructor(config: SaverConfig, tools: SaverTools) {
    this.#config = config;
    this.#tools = tools;
    this.#stop = new Int32Array(config.stop);
    this.#known = new KnownIndex({ ...config, ...tools });
    const known = (): KnownIndex => this.#known;
    this.objects = new ObjectSaver({
      ...config,
      ...tools,
      codec: parseCodec(config.settings.codec),
      claims: new ClaimTable(config.claims),
      known: {
        has: (id, offset, kind) => known().has(id, offset, kind),
        get isHealthy(): boolean {
          return known().isHealthy;
        },
      },
    });
    this.#files = new FileSaver(
      config.source,
      this.objects,
      new InHand(config.inHand),
    );
  }

  /** Whether the save has been told to stop. */
  get isStopped(): boolean {
    return Atomics.load(this.#stop, 0) !== 0;
  }

  /**
   * Reads and stores a batch.
   *
   * @param batch The files.
   * @returns What came of them.
   */
  save(batch: FileBatch): BatchResult {
    return runAtOnce(this.steps(batch));
  }

  /**
   * Reads and stores a batch a step at a time.
   *
   * @param batch The files.
   * @returns Steps, each with the work that was done, then what came of the files.
   */
  steps(batch: FileBatch): Generator<number, BatchResult> {
    return this.#files.save(batch, () => this.isStopped);
  }

  /**
   * Reads and stores one large file together with other workers.
   *
   * @param batch The file.
   * @param lane The ring.
   * @returns What came of it.
   */
  saveLarge(batch: FileBatch, lane: Lane): BatchResult {
    return this.#files.saveLarge(batch, lane);
  }

  /**
   * Takes another index.
   *
   * @param index The tables, and the packs that are there.
   */
  reopen(index: IndexConfig): void {
    this.#known[Symbol.dispose]();
    this.#known = new KnownIndex({ ...index, ...this.#tools });
  }

  /** Closes what is open; packs in hand are left as they are. */
  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
    this.#known[Symbol.dispose]();
  }
}
