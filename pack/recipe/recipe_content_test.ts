import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { ObjectKind } from "@snap/pack";
import { ObjectIndex } from "@snap/pack/index";
import { openIndex } from "@snap/pack/read";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import { openFileStore } from "@snap/store/file";
import { HostileStore } from "../../tests/_hostile_store.ts";
import { LocalRanges, nodeFiles } from "@snap/pack/recipe-content";
import { lz4Codec } from "@snap/pack/codecs";
import {
  makeFileStore,
  namesIn,
  noise,
  open,
  openFilesIn,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { ContentError, FrameDecoder, RecipeContent } from "./recipe_content.ts";
import { save } from "@snap/save";

function rangesOf(store: { readonly path: string }): LocalRanges {
  const pathOf = (name: string): string => `${store.path}/${name}`;
  return new LocalRanges({ pathOf, calls: nodeFiles });
}

const MIB = 1024 * 1024;
const DATA_SIZE = 300_000;
/** Data, then zeros. */
const SIZE = DATA_SIZE + 3 * MIB + 17;

function idOf(bytes: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.hashInto(bytes, id);
  return id;
}

/** Bytes of which each 64 come four times. */
function compressible(size: number): Uint8Array {
  const random = noise(size, size);
  return random.map((_, i) => random[(i >> 8) * 64 + (i & 63)]);
}

/** A store in a folder that holds one large content. */
async function stored(folder: TemporaryFolder) {
  const content = new Uint8Array(SIZE);
  content.set(compressible(DATA_SIZE));
  const source = folder.join("source");
  Deno.mkdirSync(source);
  writeFileSync(`${source}/file`, content);
  const store = await makeFileStore(folder.join("store"), SMALL_SETTINGS);
  await using snapshots = await open(store);
  await save(snapshots, source);
  const { index } = await openIndex(store, { hasher: wasmHasher });
  const packs = await namesIn(store, "packs/");
  return { content, id: idOf(content), store, index, packs };
}

/** Counts how often frames are decoded. */
function countingDecoders() {
  const counter = { count: 0 };
  const decode = (bytes: Uint8Array, out: Uint8Array): number => {
    counter.count++;
    lz4Codec.decompress(bytes, out);
    return out.length;
  };
  return { counter, decoders: { lz4: { decode } } };
}

/** Reads a content, and says what was written, in which steps, in how many calls. */
function readAll(
  reader: RecipeContent,
  object: { readonly id: Uint8Array; readonly size: number },
) {
  const bytes = new Uint8Array(object.size);
  let end = 0, chunks = 0;
  const zeros: number[] = [];
  const sink = {
    write(part: Uint8Array, offset: number) {
      equal(offset, end);
      bytes.set(part, offset);
      end += part.length;
      chunks++;
    },
    writeZeros(size: number, offset: number) {
      equal(offset, end);
      end += size;
      zeros.push(size);
    },
  };
  const steps = [...reader.read(object, sink)];
  equal(end, object.size);
  return { bytes, steps, zeros, chunks };
}

Deno.test("RecipeContent reads content in order, in steps of a mebibyte, and each frame once", async () => {
  using folder = new TemporaryFolder();
  const { content, id, store, index } = await stored(folder);
  const { counter, decoders } = countingDecoders();
  const parts = {
    makeRanges: () => rangesOf(store),
    index,
    hasher: wasmHasher,
    decoders,
  };
  {
    using reader = new RecipeContent(parts);
    deepEqual(openFilesIn(store.path), [], "nothing is opened yet");
    const { bytes, steps, zeros, chunks } = readAll(reader, { id, size: SIZE });
    equal(Buffer.compare(bytes, content), 0);
    equal(steps.reduce((sum, step) => sum + step, 0), SIZE);
    ok(steps.every((step) => step <= 2 * MIB), `${steps}`);
    ok(zeros.every((size) => size <= MIB), `${zeros}`);
    ok(
      counter.count > 20 && counter.count < chunks,
      `${counter.count} of ${chunks}`,
    );
    // Again: nothing of the first time is left over.
    equal(
      Buffer.compare(readAll(reader, { id, size: SIZE }).bytes, content),
      0,
    );
    ok(openFilesIn(store.path).length > 0);
  }
  deepEqual(openFilesIn(store.path), [], "all is closed");
});

Deno.test("RecipeContent refuses another size, another id and what is not there", async () => {
  using folder = new TemporaryFolder();
  const { id, content, store, index } = await stored(folder);
  const parts = {
    makeRanges: () => rangesOf(store),
    index,
    hasher: wasmHasher,
  };
  using reader = new RecipeContent(parts);
  for (const size of [SIZE - 1, SIZE + 1]) {
    throws(() => readAll(reader, { id, size }));
  }
  const absent = { id: new Uint8Array(32).fill(1), size: SIZE };
  throws(() => readAll(reader, absent), ContentError);
  using nothing = new RecipeContent({ ...parts, index: new ObjectIndex() });
  throws(() => readAll(nothing, { id, size: SIZE }), ContentError);
  equal(Buffer.compare(readAll(reader, { id, size: SIZE }).bytes, content), 0);
});

Deno.test("RecipeContent notices every damaged pack, and reads on when it is sound again", async () => {
  using folder = new TemporaryFolder();
  const { id, content, store, index, packs } = await stored(folder);
  ok(packs.length >= 2);
  let noticed = 0;
  for (const pack of packs) {
    const path = `${store.path}/${pack}`;
    const sound = readFileSync(path);
    for (const damage of ["flipped", "cut", "gone"]) {
      using reader = new RecipeContent({
        makeRanges: () => rangesOf(store),
        index,
        hasher: wasmHasher,
      });
      if (damage === "gone") rmSync(path);
      else if (damage === "cut") truncateSync(path, 100);
      else {writeFileSync(
          path,
          sound.map((byte, at) => at < 72 ? byte : byte ^ 1),
        );}
      try {
        equal(
          Buffer.compare(readAll(reader, { id, size: SIZE }).bytes, content),
          0,
        );
      } catch {
        noticed++;
      }
      rmSync(path, { force: true });
      writeFileSync(path, sound);
      using again = new RecipeContent({
        makeRanges: () => rangesOf(store),
        index,
        hasher: wasmHasher,
      });
      equal(
        Buffer.compare(readAll(again, { id, size: SIZE }).bytes, content),
        0,
      );
    }
  }
  ok(noticed >= 6, `${noticed}`);
  deepEqual(openFilesIn(store.path), []);
});

Deno.test("RecipeContent refuses chunks of another size than their recipe says, whatever they hash to", async () => {
  for (const lie of [-1, 0, 1]) {
    using folder = new TemporaryFolder();
    const hostile = new HostileStore();
    const builder = new RecipeBuilder({
      hasher: wasmHasher,
      onNode: (bytes, id) =>
        hostile.add(bytes.slice(), id.slice(), ObjectKind.recipe),
    });
    const chunks = [noise(1000, 1), noise(500, 2)];
    for (const chunk of chunks) {
      builder.push(hostile.content(chunk), 0, chunk.length + lie);
    }
    const content = new Uint8Array(Buffer.concat(chunks));
    const id = idOf(content);
    builder.finish({ id, kind: ObjectKind.content });
    const store = await openFileStore(folder.join("store"), { create: true });
    const { snapshots } = await hostile.write(store, hostile.directory([]));
    await using _ = snapshots;
    const { index } = await openIndex(store, { hasher: wasmHasher });
    using reader = new RecipeContent({
      makeRanges: () => rangesOf(store),
      index,
      hasher: wasmHasher,
    });
    const size = content.length + 2 * lie;
    if (lie === 0) deepEqual(readAll(reader, { id, size }).bytes, content);
    else throws(() => readAll(reader, { id, size }), ContentError);
  }
});

Deno.test("FrameDecoder decodes frames of any size, one after the other", () => {
  const decoder = new FrameDecoder();
  for (const size of [1000, 300_000, 2000, 256 * 1024, 256 * 1024 + 1]) {
    const plain = compressible(size);
    const packed = lz4Codec.compress(plain)!;
    const decoded = decoder.decode(lz4Codec.tag, packed, size);
    equal(Buffer.compare(decoded, plain), 0);
    equal(decoder.decode(0, plain, size), plain, "what is stored as it is");
    throws(() => decoder.decode(0, plain, size + 1));
    throws(() => decoder.decode(lz4Codec.tag, packed, size + 1));
  }
});
