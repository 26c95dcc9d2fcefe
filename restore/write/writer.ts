import { type DiskCalls, diskCalls, DiskError } from "@snap/disk";
import {
  openTarget,
  type Target,
  type TargetDirectory,
  type TargetFile,
} from "@snap/disk/target";
import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import type { FrameDecoders } from "@snap/pack/codecs";
import { ExistingFiles } from "./existing_file.ts";
import { isFatal, isFatalForAttribute } from "./fatal_errors.ts";
import { FileSink } from "./file_sink.ts";
import {
  ContentError,
  FrameDecoder,
  LocalFiles,
  RecipeContent,
} from "@snap/pack/ranges";
import {
  COUNTER_UNIT,
  type FileExtras,
  FilePlan,
  FRAME_COLUMNS,
  FRAME_EMPTY,
  FRAME_RECIPE,
  type RestoreBatch,
  type RestoreBatchResult,
  type RestoreFileError,
  type RestorerConfig,
  RestoreStatus,
} from "../messages.ts";
import { numbersOf, toAttributes, wantedXattrs } from "./wanted_attributes.ts";

/** Plain bytes, each file counted with what making it costs, between two steps. */
export const STEP_SIZE: number = 512 * 1024;
const FILE_COST = 16 * 1024;

/** Writes batches of files, in a worker or not. */
export class Restorer implements Disposable {
  readonly #config: RestorerConfig;
  readonly #hasher: Hasher;
  readonly #calls: DiskCalls;
  readonly #control: Int32Array;
  readonly #packs: LocalFiles;
  readonly #recipes: RecipeContent;
  readonly #decoder: FrameDecoder;
  readonly #digest = new Uint8Array(ID_SIZE);
  #target: Target | undefined;
  #existing: ExistingFiles | undefined;
  #frame = -1;
  #plain: Uint8Array | undefined;
  /** The row of the batch whose object was checked last in this frame. */
  #checkedRow = -1;
  #sinceStep = 0;

  /**
   * Constructs a new instance; nothing is opened yet.
   *
   * @param config What to do.
   * @param tools What hashes, what decodes instead of the codecs, and the back end.
   */
  constructor(
    config: RestorerConfig,
    tools: {
      readonly hasher: Hasher;
      readonly decoders?: FrameDecoders;
      readonly calls?: DiskCalls;
    },
  ) {
    this.#config = config;
    this.#hasher = tools.hasher;
    this.#calls = tools.calls ?? diskCalls();
    this.#decoder = new FrameDecoder(tools.decoders);
    this.#control = new Int32Array(config.control);
    const storePrefix = config.storePrefix ?? "";
    this.#packs = new LocalFiles(storePrefix);
    this.#recipes = new RecipeContent({ ...config, ...tools, storePrefix });
  }

  /** Whether the restore has been told to stop. */
  get isStopped(): boolean {
    return Atomics.load(this.#control, 0) !== 0;
  }

  /**
   * Writes a batch.
   *
   * @param batch The files.
   * @returns Steps, between which the caller may leave, then what came of the files.
   */
  *restore(batch: RestoreBatch): Generator<void, RestoreBatchResult> {
    const run = new BatchRun(batch);
    this.#frame = -1;
    this.#checkedRow = -1;
    try {
      for (let row = 0; row < batch.count; row++) {
        run.status[row] = yield* this.#restoreFile(run, row);
        if (run.isOver) break;
        this.#sinceStep += FILE_COST;
        if (this.#sinceStep >= STEP_SIZE) yield* this.#step(0);
      }
    } finally {
      Atomics.store(this.#control, 1 + this.#config.worker, 0);
    }
    return {
      number: batch.number,
      status: run.status,
      writtenByteCount: run.writtenByteCount,
      errors: run.errors,
    };
  }

  *#restoreFile(run: BatchRun, row: number): Generator<void, number> {
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
  ): Generator<void, "same" | "attributes" | "content"> {
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

  *#write(run: BatchRun, row: number): Generator<void, void> {
    const { batch } = run;
    const frame = batch.frameOf[row];
    // Checked before the file is made: most damage then leaves nothing behind.
    const bytes = frame >= 0 ? this.#object(run, row) : undefined;
    const file = this.#openTarget().createFile(
      this.#directory(run, row),
      run.nameOf(row),
      batch.plans[row] !== FilePlan.create
        ? { temporary: true }
        : { temporary: frame === FRAME_RECIPE, isFree: true },
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
  ): Generator<void, void> {
    const size = run.batch.sizes[row];
    const sink = new FileSink(parts.file, parts.extras?.holes);
    if (parts.bytes !== undefined) sink.write(parts.bytes, 0);
    else {
      const id = run.batch.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
      const steps = this.#recipes.read({ id, size }, sink);
      for (;;) {
        const passed = nextStep(steps);
        if (passed === undefined) break;
        yield* this.#step(passed);
      }
    }
    sink.finish(size);
  }

  /** The checked bytes of a file that lies in a frame. */
  #object(run: BatchRun, row: number): Uint8Array {
    const { batch } = run;
    try {
      const frame = batch.frameOf[row];
      if (frame !== this.#frame) this.#decode(batch, frame);
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
    } catch (error) {
      if (error instanceof ContentError) throw error;
      throw new ContentError("the content cannot be read", { cause: error });
    }
  }

  #decode(batch: RestoreBatch, frame: number): void {
    const at = FRAME_COLUMNS * frame;
    const [pack, offset, storedSize, plainSize, codec] = batch.frames.subarray(
      at,
      at + FRAME_COLUMNS,
    );
    this.#frame = -1;
    this.#checkedRow = -1;
    const stored = batch.stored?.[frame] ??
      this.#packs.frame(batch.packs[pack], offset, storedSize);
    this.#plain = this.#decoder.decode(codec, stored, plainSize);
    this.#frame = frame;
  }

  #openTarget(): Target {
    this.#target ??= openTarget(this.#config.target, { calls: this.#calls });
    return this.#target;
  }

  #directory(run: BatchRun, row: number): TargetDirectory {
    const number = run.batch.directories[row];
    let directory = run.targets[number];
    if (directory === undefined) {
      directory = this.#openTarget().directoryAt(run.pathOf(number));
      run.targets[number] = directory;
    }
    return directory;
  }

  *#step(passed: number): Generator<void, void> {
    if (passed > 0) {
      const units = Math.round(passed / COUNTER_UNIT);
      Atomics.add(this.#control, 1 + this.#config.worker, units);
    }
    this.#sinceStep = 0;
    yield;
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    this.#packs[Symbol.dispose]();
    this.#recipes[Symbol.dispose]();
    this.#existing?.[Symbol.dispose]();
    this.#target?.[Symbol.dispose]();
  }
}

/** A batch under way. */
class BatchRun {
  readonly batch: RestoreBatch;
  readonly status: Uint8Array;
  readonly errors: RestoreFileError[] = [];
  /** Directories that are open. */
  readonly targets: (TargetDirectory | undefined)[] = [];
  writtenByteCount = 0;
  /** Whether an error was fatal. */
  isOver = false;
  readonly #extras: Map<number, FileExtras>;

  constructor(batch: RestoreBatch) {
    this.batch = batch;
    this.status = new Uint8Array(batch.count);
    this.#extras = new Map(batch.extras);
  }

  /** Takes note that a file could not be written. */
  fail(index: number, { action, code }: DiskError): void {
    this.errors.push({ index, action, code, isAttribute: false });
    this.isOver ||= isFatal(code);
  }

  /** Takes note that an attribute of a file could not be set. */
  miss(index: number, { action, code }: DiskError): void {
    this.errors.push({ index, action, code, isAttribute: true });
    this.isOver ||= isFatalForAttribute(code);
  }

  pathOf(directory: number): Uint8Array {
    const { paths, pathEnds } = this.batch;
    const start = directory === 0 ? 0 : pathEnds[directory - 1];
    return paths.subarray(start, pathEnds[directory]);
  }

  nameOf(row: number): Uint8Array {
    const { names, nameEnds } = this.batch;
    return names.subarray(row === 0 ? 0 : nameEnds[row - 1], nameEnds[row]);
  }

  extrasOf(row: number): FileExtras | undefined {
    return this.#extras.size === 0 ? undefined : this.#extras.get(row);
  }
}

/** Whether the content of a file is that of another row, in the same place. */
function isSameObject(
  batch: RestoreBatch,
  before: number,
  row: number,
): boolean {
  return before >= 0 && batch.frameOf[before] === batch.frameOf[row] &&
    batch.offsets[before] === batch.offsets[row] &&
    batch.sizes[before] === batch.sizes[row] &&
    equalBytes(
      batch.ids,
      ID_SIZE * before,
      batch.ids,
      ID_SIZE * row,
      ID_SIZE,
    );
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
