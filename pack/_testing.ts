// What several tests of this package share. Not part of the package.
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { Codec } from "./codec/codec.ts";
import { FrameBuilder } from "./write/frame_builder.ts";
import {
  buildIndex,
  type IndexSources,
  mergeIndex,
} from "./index_writer/index_builder.ts";
import type { IndexPack } from "./index_writer/index_run.ts";
import type {
  BuiltIndex,
  IndexOptions,
  IndexSink,
} from "./index_writer/index_table_writer.ts";
import {
  type IndexFiles,
  openIndexFiles,
  type ReadAt,
} from "./index/index_files.ts";
import { INDEX_PAGE_SIZE } from "./index/index_table.ts";
import { noneCodec } from "./codec/none_codec.ts";
import { ObjectKind, PackRole } from "./object_kind.ts";
import { type FinishedPack, PackWriter } from "./write/pack_writer.ts";

/** A pack with its bytes. */
export interface MadePack extends FinishedPack {
  readonly bytes: Uint8Array;
}

/** Collects what is written. */
export class BytesSink {
  readonly #parts: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const all = new Uint8Array(size);
    let end = 0;
    for (const part of this.#parts) {
      all.set(part, end);
      end += part.length;
    }
    return all;
  }
}

/** Seeded random numbers below 2^32: xorshift32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  bytes(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = this.next() >>> 11;
    return bytes;
  }
}

/** The id of content. */
export function idOf(plain: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.hashInto(plain, id);
  return id;
}

/** Options of a writer whose bytes are the same in every run. */
export function writerOptions(
  options: { codec?: Codec; seed?: number; role?: PackRole } = {},
): { sink: BytesSink } & ConstructorParameters<typeof PackWriter>[0] {
  const { codec = noneCodec, seed = 1, role = PackRole.data } = options;
  const sink = new BytesSink();
  const salt = new Uint8Array(32).fill(seed);
  const saveId = new Uint8Array(16).fill(7);
  return { sink, role, saveId, salt, codec, hasher: wasmHasher };
}

/** A pack of frames of content. */
export function makePack(
  frames: readonly (readonly Uint8Array[])[],
  options: { codec?: Codec; seed?: number } = {},
): MadePack {
  const settings = writerOptions(options);
  const writer = new PackWriter(settings);
  const builder = new FrameBuilder();
  for (const frame of frames) {
    builder.clear();
    for (const plain of frame) {
      builder.add(plain, idOf(plain), 0, ObjectKind.content);
    }
    writer.addFrame(builder.plain(), builder.rows);
  }
  return { ...writer.finish(), bytes: settings.sink.bytes() };
}

/** Options of an index whose bytes are the same in every run. */
export const INDEX_OPTIONS: IndexOptions = {
  saveId: new Uint8Array(16).fill(7),
  salt: new Uint8Array(32).fill(9),
  timeMs: 1_800_000_000_000,
  hasher: wasmHasher,
};

/** Files by name, as a worker reads them. */
export class TestFiles {
  readonly files: Map<string, Uint8Array> = new Map();
  readCount = 0;

  readonly readAt: ReadAt = (name, offset, out) => {
    this.readCount++;
    const bytes = this.files.get(name);
    if (bytes === undefined || offset + out.length > bytes.length) {
      throw new Error(
        `Cannot read ${out.length} bytes at ${offset} of ${name}`,
      );
    }
    out.set(bytes.subarray(offset, offset + out.length));
  };

  /** Builds an index of packs and keeps its tables. */
  addIndex(
    packs: Iterable<IndexPack>,
    options: Partial<IndexOptions> = {},
  ): BuiltIndex[] {
    const tables = buildIndex(packs, { ...INDEX_OPTIONS, ...options });
    for (const { name, bytes } of tables) this.files.set(name, bytes);
    return tables;
  }

  /** Opens the tables that are there. */
  open(cacheSize: number = 4 << 20): IndexFiles {
    const tables = [...this.files].filter(([name]) => name.startsWith("index/"))
      .map(([name, bytes]) => ({ name, size: bytes.length }));
    const { readAt } = this;
    return openIndexFiles({ tables, readAt, hasher: wasmHasher, cacheSize });
  }
}

/** Merges index tables, and packs beside them, with pages read as a worker reads them. */
export function mergeTables(
  sources: IndexSources,
  sink: IndexSink,
  options: IndexOptions & { readonly readAt: ReadAt },
): BuiltIndex[] {
  const page = new Uint8Array(INDEX_PAGE_SIZE);
  const steps = mergeIndex(sources, sink, options);
  let step = steps.next();
  while (!step.done) {
    options.readAt(step.value.name, step.value.offset, page);
    step = steps.next(page);
  }
  return step.value;
}

/** Packs of random content, some of it in several packs. */
export function randomPacks(
  seed: number,
  options: { count: number; shared?: number; codec?: Codec } = { count: 3 },
): MadePack[] {
  const random = new Random(seed);
  const shared = Array.from(
    { length: options.shared ?? 0 },
    () => random.bytes(1 + random.below(200)),
  );
  return Array.from({ length: options.count }, (_, i) => {
    const frames: Uint8Array[][] = [];
    for (let frame = 0; frame <= random.below(12); frame++) {
      const objects: Uint8Array[] = [];
      for (let j = 0; j <= random.below(20); j++) {
        const known = shared.length > 0 && random.below(4) === 0;
        objects.push(
          known
            ? shared[random.below(shared.length)]
            : random.bytes(1 + random.below(100)),
        );
      }
      frames.push(objects);
    }
    const { codec = noneCodec } = options;
    return makePack(frames, { seed: i + 1, codec });
  });
}
