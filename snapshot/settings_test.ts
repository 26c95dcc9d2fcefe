import { deepEqual, equal, throws } from "node:assert/strict";
import { Chunker } from "@snap/hash/chunk";
import { parseCodec } from "@snap/pack/codecs";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  FRAME_SIZE_MAX,
  parseSettings,
} from "@snap/store/format";

Deno.test("parseSettings gives defaults for what is not there", () => {
  deepEqual(parseSettings({}), DEFAULT_SETTINGS);
  const { chunk } = parseSettings({ chunk: { sizeMax: 262_144 } });
  deepEqual(chunk, { ...DEFAULT_SETTINGS.chunk, sizeMax: 262_144 });
});

Deno.test("parseSettings reads what formatSettings wrote, also through JSON", () => {
  const settings = {
    ...DEFAULT_SETTINGS,
    codec: "lz4",
    bundleSizeMax: 1 << 20,
    chunk: { ...DEFAULT_SETTINGS.chunk, gearSeed: 1 },
  };
  const text = JSON.stringify(formatSettings(settings));
  deepEqual(parseSettings(JSON.parse(text)), settings);
  deepEqual(parseSettings({ ...formatSettings(settings), more: 1 }), settings);
});

Deno.test("parseSettings refuses types that are wrong", () => {
  for (const value of ["1", true, 1.5, NaN, {}, 2 ** 60]) {
    throws(() => parseSettings({ packSizeTarget: value }), TypeError);
    throws(() => parseSettings({ chunk: { sizeMin: value } }), TypeError);
  }
  throws(() => parseSettings({ codec: 1 }), {
    name: "TypeError",
    message: "Cannot read settings as codec must be text",
  });
});

Deno.test("what settings allow a Chunker and parseCodec take", () => {
  for (const sizeMin of [64, 2 ** 12]) {
    for (const sizeMax of [2 ** 14, 2 ** 20]) {
      for (const sizeAverage of [2 * sizeMin, sizeMax / 2]) {
        const body = { chunk: { sizeMin, sizeAverage, sizeMax } };
        new Chunker(parseSettings({ bundleSizeMax: 2 ** 20, ...body }).chunk);
      }
    }
  }
  for (const codec of ["none", "lz4", "zstd", "zstd:1", "zstd:19"]) {
    equal(parseSettings({ codec }).codec, codec);
    parseCodec(codec);
  }
  for (const codec of ["", "zstd:0", "zstd:20", "zstd3", "lz4:1", "gzip"]) {
    throws(() => parseSettings({ codec }), RangeError);
    throws(() => parseCodec(codec));
  }
});

Deno.test("settings outside of their limits are refused", () => {
  const { sizeMax } = DEFAULT_SETTINGS.chunk;
  const bad = [
    { bundleSizeMax: sizeMax - 1 },
    { bundleSizeMax: FRAME_SIZE_MAX + 1 },
    { largeFrameTarget: 0 },
    { largeFrameTarget: FRAME_SIZE_MAX - sizeMax + 1 },
    { packSizeTarget: 4095 },
    { packSizeTarget: 2 ** 30 + 1 },
    { chunk: { sizeMax: 2048 } },
    { chunk: { sizeMax: 2 ** 21 } },
    { chunk: { sizeMax: 2 ** 17 - 1 } },
    { chunk: { sizeAverage: sizeMax } },
    { chunk: { sizeAverage: 24 * 1024 } },
    { chunk: { sizeAverage: 64 } },
    { chunk: { sizeMin: 32 } },
    { chunk: { sizeMin: 1000 } },
    { chunk: { sizeMin: DEFAULT_SETTINGS.chunk.sizeAverage } },
    { chunk: { gearSeed: 0 } },
    { chunk: { gearSeed: 2 ** 32 } },
    { codec: "" },
    { codec: "zstd:0" },
    { codec: "zstd:20" },
    { codec: "gzip" },
  ];
  for (const body of bad) {
    throws(() => parseSettings(body), RangeError);
    const chunk = { ...DEFAULT_SETTINGS.chunk, ...body.chunk };
    const settings = { ...DEFAULT_SETTINGS, ...body, chunk };
    throws(() => formatSettings(settings), RangeError);
  }
  throws(() => parseSettings({ codec: "gzip" }), {
    message:
      'Cannot use codec "gzip": there are none, lz4, zstd and zstd:1 to zstd:19',
  });
  throws(() => parseSettings({ chunk: { sizeMin: 1000 } }), {
    message: "Cannot use chunks of 1000 bytes: sizes are powers of two",
  });
  equal(parseSettings({ packSizeTarget: 4096 }).packSizeTarget, 4096);
});
