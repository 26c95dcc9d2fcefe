import { deepEqual, equal, throws } from "node:assert/strict";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  FRAME_SIZE_MAX,
  parseSettings,
} from "./settings.ts";

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

Deno.test("settings outside of their limits are refused", () => {
  const { sizeMax } = DEFAULT_SETTINGS.chunk;
  const bad = [
    { bundleSizeMax: sizeMax - 1 },
    { bundleSizeMax: FRAME_SIZE_MAX + 1 },
    { contentSizeMin: 0 },
    { contentSizeMin: FRAME_SIZE_MAX - sizeMax + 1 },
    { packSizeTarget: 4095 },
    { packSizeTarget: 2 ** 30 + 1 },
    { chunk: { sizeMax: 2048 } },
    { chunk: { sizeMax: 2 ** 21 } },
  ];
  for (const body of bad) {
    throws(() => parseSettings(body), RangeError);
    const settings = {
      ...DEFAULT_SETTINGS,
      ...body,
    } as typeof DEFAULT_SETTINGS;
    throws(() => formatSettings(settings), RangeError);
  }
  equal(parseSettings({ packSizeTarget: 4096 }).packSizeTarget, 4096);
});
