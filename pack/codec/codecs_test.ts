import { deepEqual, equal, throws } from "node:assert/strict";
import { CodecTag, FrameSyntaxError } from "./codec.ts";
import { codecOf, parseCodec } from "./codecs.ts";
import { noneCodec } from "./none_codec.ts";

Deno.test("codecOf finds each codec by its number", () => {
  for (const [name, tag] of Object.entries(CodecTag)) {
    equal(codecOf(tag).tag, tag);
    equal(codecOf(tag).name.split(":")[0], name);
  }
});

Deno.test("codecOf refuses other numbers", () => {
  for (const tag of [3, 255, -1, 0.5, NaN]) {
    throws(() => codecOf(tag), FrameSyntaxError);
  }
});

Deno.test("parseCodec reads what codecs are called", () => {
  for (const name of ["none", "lz4", "zstd:1", "zstd:19"]) {
    equal(parseCodec(name).name, name);
  }
  equal(parseCodec("zstd").name, "zstd:3");
});

Deno.test("parseCodec refuses other names", () => {
  const names = ["", "zstd:", "zstd:0", "zstd:20", "zstd:03", "LZ4", "none "];
  for (const name of names) throws(() => parseCodec(name), SyntaxError);
});

Deno.test("noneCodec copies", () => {
  const plain = Uint8Array.of(1, 2, 3);
  const out = new Uint8Array(3);
  equal(noneCodec.compress(plain), undefined);
  noneCodec.decompress(plain, out);
  deepEqual(out, plain);
  throws(
    () => noneCodec.decompress(plain, new Uint8Array(4)),
    { name: "FrameSyntaxError", offset: 3 },
  );
});
