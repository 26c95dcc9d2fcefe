/**
 * The settings of a store: how its objects are cut, bundled and compressed.
 *
 * @module
 */
import { type ChunkSizes, DEFAULT_CHUNK_SIZES } from "@snap/hash/chunk";

/** Settings for packing the objects of a store. Kept in the config; none of them changes an id. */
export interface StoreSettings {
  /** The chunk sizes and the gear seed. */
  readonly chunk: ChunkSizes;
  /** The most plain bytes in a frame of small files, trees and pages. */
  readonly bundleSizeMax: number;
  /** Target size of frames of large files: a frame closes at the first chunk border from here on. */
  readonly largeFrameTarget: number;
  /** A pack is finished at this many bytes. */
  readonly packSizeTarget: number;
  /** The codec of new frames: `"none"`, `"lz4"`, `"zstd"`, or `"zstd:1"` to `"zstd:19"`. */
  readonly codec: string;
}

/** Settings to make a store with: what is left out gets its default. */
export type SomeStoreSettings =
  & Partial<Omit<StoreSettings, "chunk">>
  & { readonly chunk?: Partial<ChunkSizes> };

/** The settings of a new store. `deno task bench defaults` prints what they were chosen by. */
export const DEFAULT_SETTINGS: StoreSettings = {
  chunk: DEFAULT_CHUNK_SIZES,
  bundleSizeMax: 512 * 1024,
  largeFrameTarget: 64 * 1024,
  packSizeTarget: 64 * 1024 * 1024,
  codec: "zstd:1",
};

/** The most plain bytes in a frame, whatever the settings say. */
export const FRAME_SIZE_MAX: number = 4 * 1024 * 1024;

const CODEC = /^(none|lz4|zstd(:([1-9]|1[0-9]))?)$/;

const NUMBERS = [
  "bundleSizeMax",
  "largeFrameTarget",
  "packSizeTarget",
] as const;
const CHUNK_NUMBERS = [
  "sizeMin",
  "sizeAverage",
  "sizeMax",
  "gearSeed",
] as const;

/**
 * Reads the settings from the config of a store.
 *
 * @param body The `settings` field of the config.
 * @returns The settings, with defaults for what is not there.
 * @throws {TypeError} If a setting has the wrong type.
 * @throws {RangeError} If a setting is outside its limits.
 */
export function parseSettings(body: Record<string, unknown>): StoreSettings {
  const numbers: Record<string, number> = {};
  for (const key of NUMBERS) {
    numbers[key] = numberIn(body, key, DEFAULT_SETTINGS[key]);
  }
  const chunkBody = recordOf("chunk", body.chunk ?? {});
  const chunk: Record<string, number> = {};
  for (const key of CHUNK_NUMBERS) {
    chunk[key] = numberIn(chunkBody, key, DEFAULT_SETTINGS.chunk[key]);
  }
  const codec = body.codec ?? DEFAULT_SETTINGS.codec;
  if (typeof codec !== "string") {
    throw new TypeError(`Cannot read settings as codec must be text`);
  }
  const settings = { ...numbers, chunk, codec } as unknown as StoreSettings;
  checkSettings(settings);
  return settings;
}

/**
 * Checks settings that a store is to be made with. A name that is not known is
 * refused: it is one that is misspelt.
 *
 * @throws {TypeError} If a setting has the wrong type, or is not known.
 * @throws {RangeError} If a setting is outside its limits.
 */
export function checkNewSettings(settings: SomeStoreSettings): void {
  const body = recordOf("settings", settings);
  parseSettings(body);
  const names = [...Object.keys(body), ...Object.keys(body.chunk ?? {})];
  const known: readonly string[] = [
    ...["chunk", "codec"],
    ...NUMBERS,
    ...CHUNK_NUMBERS,
  ];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot use setting ${JSON.stringify(unknown)}: there is none`,
    );
  }
}

/**
 * Turns settings into the `settings` field of a config.
 *
 * @returns A plain record.
 * @throws {RangeError} If a setting is outside its limits.
 */
export function formatSettings(settings: StoreSettings): StoreSettings {
  checkSettings(settings);
  return { ...settings, chunk: { ...settings.chunk } };
}

function recordOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TypeError(
    `Cannot read settings as ${name} must be an object: found ${
      JSON.stringify(value)
    }`,
  );
}

function numberIn(
  body: Record<string, unknown>,
  key: string,
  fallback: number,
): number {
  const value = body[key] ?? fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new TypeError(
      `Cannot read settings as ${key} must be a whole number: found ${value}`,
    );
  }
  return value;
}

function checkSettings(settings: StoreSettings): void {
  checkChunk(settings.chunk);
  const { sizeMax } = settings.chunk;
  const { bundleSizeMax, largeFrameTarget, packSizeTarget } = settings;
  checkRange("bundleSizeMax", bundleSizeMax, sizeMax, FRAME_SIZE_MAX);
  checkRange("largeFrameTarget", largeFrameTarget, 1, FRAME_SIZE_MAX - sizeMax);
  checkRange("packSizeTarget", packSizeTarget, 4096, 2 ** 30);
  checkCodec(settings.codec);
}

/** Checks what `Chunker` does, but for the seed's zeros: to try them costs a reader milliseconds. */
function checkChunk(chunk: ChunkSizes): void {
  const { sizeMin, sizeAverage, sizeMax, gearSeed } = chunk;
  checkRange("chunk.sizeMax", sizeMax, 4096, 1024 * 1024);
  checkRange("chunk.sizeAverage", sizeAverage, 128, sizeMax / 2);
  checkRange("chunk.sizeMin", sizeMin, 64, sizeAverage / 2);
  checkRange("chunk.gearSeed", gearSeed, 1, 2 ** 32 - 1);
  for (const size of [sizeMin, sizeAverage, sizeMax]) {
    if (Number.isInteger(Math.log2(size))) continue;
    throw new RangeError(
      `Cannot use chunks of ${size} bytes: sizes are powers of two`,
    );
  }
}

function checkCodec(codec: string): void {
  if (CODEC.test(codec)) return;
  throw new RangeError(
    `Cannot use codec ${
      JSON.stringify(codec)
    }: there are none, lz4, zstd and zstd:1 to zstd:19`,
  );
}

function checkRange(
  name: string,
  value: number,
  min: number,
  max: number,
): void {
  if (value < min || value > max) {
    throw new RangeError(
      `Cannot use ${name} ${value}: it goes from ${min} to ${max}`,
    );
  }
}
