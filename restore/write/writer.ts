import { type DiskCalls, diskCalls, DiskError } from "@snap/disk";
import {
  openTarget,
  type Target,
  type TargetDirectory,
  type TargetFile,
} from "@snap/disk/target";
import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import type { FrameDecoders } from "@snap/pack/codecs";
import { BatchRun, isSameObject } from "./batch_run.ts";
import { ExistingFiles } from "./existing_file.ts";
import { FileSink } from "./file_sink.ts";
import {
  ContentError,
  FrameDecoder,
  type Ranges,
  RecipeContent,
  WAIT,
} from "@snap/pack/recipe-content";
import { ObjectIndex } from "@snap/pack/index";
import {
  COUNTER_UNIT,
  type FileExtras,
  FilePlan,
  FRAME_COLUMNS,
  FRAME_EMPTY,
  FRAME_RECIPE,
  KEEP,
  type RestoreBatch,
  type RestoreBatchResult,
  type RestorerConfig,
  RestoreStatus,
} from "../messages.ts";
import type { RestoreSource } from "./restore_source.ts";
import { numbersOf, toAttributes, wantedXattrs } from "./wanted_attributes.ts";

/** Plain bytes, each file counted with what making it costs, between two steps. */
export const STEP_SIZE: number = 512 * 1024;
const FILE_COST = 16 * 1024;
/** Memory for pages of the index. */
const INDEX_CACHE_SIZE = 8 * 1024 * 1024;
/** Files of a batch that are written side by side where ranges are on their way. */
const FAR_FILES_MAX = 32;
/** Bytes of large contents that are asked for ahead where ranges are on their way. */
const FAR_AHEAD_SIZE = 8 * 1024 * 1024;

/** Writes batches of files, in a worker or not. */
export class Restorer implements Disposable {
  readonly #config: RestorerConfig;
  readonly #hasher: Hasher;
  readonly #calls: DiskCalls;
  readonly #control: Int32Array;
  readonly #isFar: boolean;
  readonly #packs: Ranges & Partial<Disposable>;
  readonly #recipes: RecipeContent;
  readonly #decoder: FrameDecoder;
  readonly #digest = new Uint8Array(ID_SIZE);
  #target: Target | undefined;
  #existing: ExistingFiles | undefined;
  /** The frame that was decoded last, and its batch. */
  #batch: RestoreBatch | undefined;
  #frame = -1;
  #plain: Uint8Array | undefined;
  /** The row of the batch whose object was checked last in this frame. */
  #checkedRow = -1;
  #sinceStep = 0;

  constructor(
    config: RestorerConfig,
    tools: {
      readonly hasher: Hasher;
      readonly decoders?: FrameDecoders;
      readonly calls?: DiskCalls;
      readonly source: RestoreSource;
    },
  ) {
    this.#config = config;
    this.#hasher = tools.hasher;
    this.#calls = tools.calls ?? diskCalls();
    this.#decoder = new FrameDecoder(tools.decoders);
    this.#control = new Int32Array(config.control);
    const { makeRanges, isFar } = tools.source;
    this.#isFar = isFar;
    this.#packs = makeRanges();
    const index = new ObjectIndex({ cacheSize: INDEX_CACHE_SIZE });
    index.addTables(config.indexTables);
    this.#recipes = new RecipeContent({ ...tools, makeRanges, index });
  }

  /** Whether the restore has been told to stop. */
  get isStopped(): boolean {
    return Atomics.load(this.#control, 0) !== 0;
  }

  /**
   * Writes a batch.
   *
   * @returns Steps, between which the caller may leave, then what came of the files. A step is
   * {@linkcode WAIT} where nothing goes on before a range has arrived.
   */
  *restore(batch: RestoreBatch): Generator<number, RestoreBatchResult> {
    const run = new BatchRun(batch);
    this.#frame = -1;
    this.#checkedRow = -1;
    if (this.#isFar) this.#askAhead(batch);
    const filesMax = this.#isFar ? FAR_FILES_MAX : 1;
    const files = new Set<OpenFile>();
    try {
      for (let next = 0; !run.isOver;) {
        for (; next < batch.count && files.size < filesMax; next++) {
          files.add({ row: next, steps: this.#restoreFile(run, next) });
        }
        if (files.size === 0) break;
        if (!(yield* this.#goOn(run, files))) yield WAIT;
      }
    } finally {
      for (const { steps } of files) steps.return(RestoreStatus.stopped);
      Atomics.store(this.#control, 1 + this.#config.worker, 0);
    }
    return {
      number: batch.number,
      status: run.status,
      writtenByteCount: run.writtenByteCount,
      errors: run.errors,
    };
  }

  /** Lets each file go on as far as it can; false if all of them wait. */
  *#goOn(run: BatchRun, files: Set<OpenFile>): Generator<number, boolean> {
    let hasMoved = false;
    this.#recipes.aheadSize = this.#isFar ? FAR_AHEAD_SIZE / files.size : 0;
    for (const file of files) {
      for (;;) {
        const step = file.steps.next();
        if (step.done === true) {
          files.delete(file);
          hasMoved = true;
          run.status[file.row] = step.value;
          if (run.isOver) return true;
          this.#sinceStep += FILE_COST;
          if (this.#sinceStep >= STEP_SIZE) yield* this.#step(0);
          break;
        }
        if (step.value === WAIT) break;
        hasMoved = true;
        yield step.value;
      }
    }
    return hasMoved;
  }

  #askAhead({ frames, packs }: RestoreBatch): void {
    for (let at = 0; at < frames.length; at += FRAME_COLUMNS) {
      this.#packs.hint(packs[frames[at]], frames[at + 1], frames[at + 2]);
    }
  }

  *#restoreFile(run: BatchRun, row: number): Generator<number, number> {
    const { batch } = run;
    try {
      const isDry = this.#config.isDry;
      if (batch.plans[row] === FilePlan.compare) {
        const comparison = yield* this.#compare(run, row);
        if (comparison === "same") return RestoreStatus.unchanged;
        if (comparison === "attributes") {
          return isDry ? RestoreStatus.attributes : this.#touch(run, row);
        }
      }
      if (!isDry) {
        if (batch.plans[row] === FilePlan.clear) return RestoreStatus.left;
        yield* this.#write(run, row);
      }
      run.writtenByteCount += batch.sizes[row];
      return RestoreStatus.written;
    } catch (error) {
      if (error instanceof ContentError) return RestoreStatus.left;
      if (!(error instanceof DiskError)) throw error;
      run.fail(row, error);
      return RestoreStatus.failed;
    }
  }

  *#compare(
    run: BatchRun,
    row: number,
  ): Generator<number, "same" | "attributes" | "content"> {
    this.#existing ??= new ExistingFiles(this.#config.target, this.#hasher, {
      calls: this.#calls,
      xattrs: this.#config.xattrs,
    });
    const steps = this.#existing.compare(run.batch, row, {
      directory: run.pathOf(run.batch.directories[row]),
      name: run.nameOf(row),
      extras: run.extrasOf(row),
    });
    try {
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) {
        yield* this.#step(step.value);
      }
      return step.value;
    } finally {
      steps.return("content");
    }
  }

  /** Sets the attributes of a file that has its content already. */
  #touch(run: BatchRun, row: number): number {
    const wanted = toAttributes(
      numbersOf(run.batch, row),
      this.#config.xattrs ? wantedXattrs(run.extrasOf(row)) : undefined,
    );
    const directory = this.#directory(run, row);
    const target = this.#openTarget();
    const problems = target.setAttributes(directory, run.nameOf(row), wanted);
    for (const problem of problems) run.miss(row, problem);
    return RestoreStatus.attributes;
  }

  *#write(run: BatchRun, row: number): Generator<number, void> {
    const { batch } = run;
    const frame = batch.frameOf[row];
    // Checked before the file is made: most damage then leaves nothing behind.
    let bytes: Uint8Array | undefined;
    while (frame >= 0 && bytes === undefined) {
      bytes = this.#object(run, row);
      if (bytes === undefined) yield WAIT;
    }
    const mode = batch.modes[row] === KEEP ? undefined : batch.modes[row];
    const file = this.#openTarget().createFile(
      this.#directory(run, row),
      run.nameOf(row),
      batch.plans[row] !== FilePlan.create
        ? { temporary: true }
        : { temporary: frame === FRAME_RECIPE, isFree: true, mode },
    );
    try {
      const extras = run.extrasOf(row);
      if (bytes !== undefined && extras?.holes === undefined) {
        file.write(bytes, 0);
      } else if (frame !== FRAME_EMPTY) {
        yield* this.#writeSlowly(run, row, { file, extras, bytes });
      }
      const wanted = toAttributes(
        numbersOf(batch, row),
        this.#config.xattrs ? wantedXattrs(extras) : undefined,
      );
      for (const problem of file.setAttributes(wanted)) run.miss(row, problem);
      file.finish();
      this.#sinceStep += batch.sizes[row];
    } finally {
      file.abandon();
    }
  }

  /** Writes content that is a recipe, or that has holes. */
  *#writeSlowly(
    run: BatchRun,
    row: number,
    parts: {
      readonly file: TargetFile;
      readonly extras: FileExtras | undefined;
      readonly bytes: Uint8Array | undefined;
    },
  ): Generator<number, void> {
    const size = run.batch.sizes[row];
    const sink = new FileSink(parts.file, parts.extras?.holes);
    if (parts.bytes !== undefined) sink.write(parts.bytes, 0);
    else {
      const id = run.batch.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
      const steps = this.#recipes.read({ id, size }, sink);
      for (;;) {
        const passed = nextStep(steps);
        if (passed === undefined) break;
        if (passed === WAIT) yield WAIT;
        else yield* this.#step(passed);
      }
    }
    sink.finish(size);
  }

  /** The checked bytes of a file that lies in a frame; `undefined` while they are on their way. */
  #object({ batch }: BatchRun, row: number): Uint8Array | undefined {
    for (;;) {
      try {
        return this.#decode(batch, batch.frameOf[row])
          ? this.#checked(batch, row)
          : undefined;
      } catch (error) {
        const isDamage = error instanceof ContentError ||
          error instanceof SyntaxError;
        // What is damaged may be a copy of what the store has.
        if (isDamage && this.#distrust(batch, batch.frameOf[row])) continue;
        if (error instanceof ContentError) throw error;
        throw new ContentError("the content cannot be read", { cause: error });
      }
    }
  }

  #checked(batch: RestoreBatch, row: number): Uint8Array {
    const offset = batch.offsets[row];
    const size = batch.sizes[row];
    const bytes = this.#plain!.subarray(offset, offset + size);
    if (bytes.length !== size) throw new ContentError("it has another size");
    // Equal files follow each other; only the same id at the same place is checked already.
    if (isSameObject(batch, this.#checkedRow, row)) return bytes;
    this.#checkedRow = -1;
    this.#hasher.hashInto(bytes, this.#digest);
    if (!equalBytes(this.#digest, 0, batch.ids, ID_SIZE * row, ID_SIZE)) {
      throw new ContentError("the content has another id");
    }
    this.#checkedRow = row;
    return bytes;
  }

  /** Has the stored bytes of a frame read anew, where that may give others. */
  #distrust({ frames, packs }: RestoreBatch, frame: number): boolean {
    const at = FRAME_COLUMNS * frame;
    const name = packs[frames[at]];
    if (!this.#packs.distrust(name, frames[at + 1], frames[at + 2])) {
      return false;
    }
    this.#frame = -1;
    return true;
  }

  /** Decodes a frame, unless it is the one before; false while it is on its way. */
  #decode(batch: RestoreBatch, frame: number): boolean {
    if (batch === this.#batch && frame === this.#frame) return true;
    const at = FRAME_COLUMNS * frame;
    const [pack, offset, storedSize, plainSize, codec] = batch.frames.subarray(
      at,
      at + FRAME_COLUMNS,
    );
    // What was decoded last may lie where the stored bytes go now.
    this.#frame = -1;
    this.#checkedRow = -1;
    const stored = this.#packs.take(batch.packs[pack], offset, storedSize);
    if (stored === undefined) return false;
    this.#plain = this.#decoder.decode(codec, stored, plainSize);
    this.#batch = batch;
    this.#frame = frame;
    return true;
  }

  #openTarget(): Target {
    this.#target ??= openTarget(this.#config.target, { calls: this.#calls });
    return this.#target;
  }

  #directory(run: BatchRun, row: number): TargetDirectory {
    const number = run.batch.directories[row];
    let directory = run.targets[number];
    if (directory === undefined) {
      directory = this.#openTarget().directoryAt(run.pathOf(number), {
        isFresh: run.batch.fresh[number] === 1,
      });
      run.targets[number] = directory;
    }
    return directory;
  }

  *#step(passed: number): Generator<number, void> {
    if (passed > 0) {
      const units = Math.round(passed / COUNTER_UNIT);
      Atomics.add(this.#control, 1 + this.#config.worker, units);
    }
    this.#sinceStep = 0;
    yield passed;
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    this.#packs[Symbol.dispose]?.();
    this.#recipes[Symbol.dispose]();
    this.#existing?.[Symbol.dispose]();
    this.#target?.[Symbol.dispose]();
  }
}

/** A file of a batch that is being written. */
interface OpenFile {
  readonly row: number;
  readonly steps: Generator<number, number>;
}

/** The next step of content; whatever fails but the target is the content's fault. */
function nextStep(steps: Generator<number, void>): number | undefined {
  try {
    const step = steps.next();
    return step.done === true ? undefined : step.value;
  } catch (error) {
    if (error instanceof DiskError || error instanceof ContentError) {
      throw error;
    }
    throw new ContentError("the content cannot be read", { cause: error });
  }
}
