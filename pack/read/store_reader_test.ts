import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { IdMismatchError, TREE_CONTEXT } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { type ReadStore, UnsupportedVersionError } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { buildIndex } from "../index_writer/index_builder.ts";
import {
  idOf,
  INDEX_OPTIONS,
  type MadePack,
  makePack,
  Random,
  writerOptions,
} from "../_testing.ts";
import { DamageError, ObjectNotFoundError } from "../errors.ts";
import { packName } from "../file_name.ts";
import { FrameBuilder } from "../write/frame_builder.ts";
import { ObjectKind } from "../object_kind.ts";
import { PackWriter } from "../write/pack_writer.ts";
import { RecipeBuilder } from "../recipe/recipe_builder.ts";
import { openStoreReader } from "./store_reader.ts";
import { zstdCodec } from "../codec/zstd_codec.ts";

const { content, recipe, tree } = ObjectKind;
const CHUNK_SIZE = 5000;

/** A store that gives what lies in a map, so that tests may damage it. */
async function storeOf(
  packs: readonly MadePack[],
  damaged: ReadonlyMap<MadePack, Uint8Array> = new Map(),
): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const pack of packs) {
    await store.create(packName(pack.id), damaged.get(pack) ?? pack.bytes);
  }
  for (const { name, bytes } of buildIndex(packs, INDEX_OPTIONS)) {
    await store.create(name, bytes);
  }
  return store;
}

/** A pack with one large object, cut into chunks. */
function makeLarge(
  plain: Uint8Array,
  options: { kind: number; id?: Uint8Array },
): MadePack & { objectId: Uint8Array } {
  const settings = writerOptions({ codec: zstdCodec({ level: 1 }) });
  const writer = new PackWriter(settings);
  const frame = new FrameBuilder();
  const add = (bytes: Uint8Array, id: Uint8Array, kind: number): void => {
    frame.clear();
    frame.add(bytes, id, 0, kind);
    writer.addFrame(frame.plain(), frame.rows);
  };
  const builder = new RecipeBuilder({
    hasher: wasmHasher,
    onNode: (bytes, id) => add(bytes, id, recipe),
  });
  for (let start = 0; start < plain.length; start += CHUNK_SIZE) {
    const chunk = plain.subarray(start, start + CHUNK_SIZE);
    if (chunk.every((byte) => byte === 0)) builder.pushZeros(chunk.length);
    else {
      const id = idOf(chunk);
      add(chunk, id, content);
      builder.push(id, 0, chunk.length);
    }
  }
  const objectId = new Uint8Array(32);
  if (options.id !== undefined) objectId.set(options.id);
  else if (options.kind === tree) {
    wasmHasher.deriveInto(TREE_CONTEXT, plain, objectId);
  } else wasmHasher.hashInto(plain, objectId);
  builder.finish({ id: objectId, kind: options.kind });
  return { ...writer.finish(), bytes: settings.sink.bytes(), objectId };
}

async function collect(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());
}

Deno.test("StoreReader reads objects and content", async () => {
  const random = new Random(8);
  const plains = Array.from({ length: 60 }, (_, i) => random.bytes(1 + i * 50));
  const pack = makePack([plains.slice(0, 40), plains.slice(40)], {
    codec: zstdCodec({ level: 1 }),
  });
  await using reader = await openStoreReader(await storeOf([pack]), {
    hasher: wasmHasher,
  });
  for (const plain of plains) {
    deepEqual(await reader.readObject(idOf(plain), content), plain);
    const file = await reader.openContent(idOf(plain), plain.length);
    deepEqual(await file.read(1, 9), plain.slice(1, 10));
    deepEqual(await collect(file.stream()), plain);
  }
  const absent = idOf(new Uint8Array(3));
  await rejects(reader.readObject(absent, content), ObjectNotFoundError);
  await rejects(reader.readObject(idOf(plains[0]), tree), ObjectNotFoundError);
  await rejects(reader.openContent(idOf(plains[0]), 77), RangeError);
  const empty = await reader.openContent(idOf(new Uint8Array(0)), 0);
  equal((await collect(empty.stream())).length, 0);
});

Deno.test("StoreReader reads ranges of large content", async () => {
  const random = new Random(4);
  const plain = random.bytes(3_000_000);
  plain.fill(0, 100_000, 1_200_000);
  const pack = makeLarge(plain, { kind: content });
  await using reader = await openStoreReader(await storeOf([pack]), {
    hasher: wasmHasher,
  });
  const file = await reader.openContent(pack.objectId, plain.length);
  for (let i = 0; i < 50; i++) {
    const offset = random.below(plain.length + 10);
    const length = random.below(40_000);
    deepEqual(
      await file.read(offset, length),
      plain.slice(offset, offset + length),
    );
  }
  deepEqual(await collect(file.stream()), plain);
  deepEqual(await reader.readObject(pack.objectId, content), plain);
  await rejects(
    reader.readObject(pack.objectId, content, { sizeMax: 1000 }),
    RangeError,
  );
});

Deno.test("StoreReader reads a large tree whole", async () => {
  const plain = new Random(6).bytes(400_000);
  const pack = makeLarge(plain, { kind: tree });
  await using reader = await openStoreReader(await storeOf([pack]), {
    hasher: wasmHasher,
  });
  deepEqual(await reader.readObject(pack.objectId, tree), plain);
});

Deno.test("StoreReader refuses a recipe that lies", async () => {
  const plain = new Random(6).bytes(40_000);
  const id = new Uint8Array(32).fill(3);
  const pack = makeLarge(plain, { kind: content, id });
  await using reader = await openStoreReader(await storeOf([pack]), {
    hasher: wasmHasher,
  });
  await rejects(reader.readObject(id, content), IdMismatchError);
  const file = await reader.openContent(id, plain.length);
  await rejects(collect(file.stream()), IdMismatchError);
});

Deno.test("StoreReader reads the sound one of two copies", async () => {
  const plain = new Random(7).bytes(1000);
  const one = makePack([[plain]]);
  const two = makePack([[new Uint8Array([1, 2]), plain]], { seed: 2 });
  for (const bad of [one, two]) {
    const bytes = bad.bytes.slice();
    bytes[500] ^= 1;
    for (const damaged of [bytes, bytes.subarray(0, 80)]) {
      const store = await storeOf([one, two], new Map([[bad, damaged]]));
      await using reader = await openStoreReader(store, { hasher: wasmHasher });
      deepEqual(await reader.readObject(idOf(plain), content), plain);
    }
  }
  const store = await storeOf([one, two]);
  await store.remove(packName(one.id));
  await using reader = await openStoreReader(store, { hasher: wasmHasher });
  deepEqual(await reader.readObject(idOf(plain), content), plain);
});

Deno.test("StoreReader names what is damaged", async () => {
  const plain = new Random(7).bytes(1000);
  const pack = makePack([[plain]]);
  const bytes = pack.bytes.slice();
  bytes[500] ^= 1;
  const store = await storeOf([pack], new Map([[pack, bytes]]));
  await using reader = await openStoreReader(store, { hasher: wasmHasher });
  await rejects(reader.readObject(idOf(plain), content), (error) => {
    ok(error instanceof DamageError);
    equal(error.id, wasmHasher.idOf(plain));
    equal(error.reason, "disk");
    equal(error.packName, packName(pack.id));
    return true;
  });
});

/** What this program has open below a folder. */
function openFilesIn(folder: string): string[] {
  const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ""; // That of the folder which was just read.
    }
  });
  return links.filter((link) => link.startsWith(folder));
}

Deno.test("StoreReader reads local files itself", async () => {
  const plain = new Random(4).bytes(300_000);
  const pack = makeLarge(plain, { kind: content });
  const memory = await storeOf([pack]);
  const folder = Deno.makeTempDirSync({ prefix: "pack-" });
  try {
    for await (const batch of memory.list("")) {
      for (const { name } of batch) {
        const file = name.replaceAll("/", "_");
        Deno.writeFileSync(`${folder}/${file}`, await memory.read(name));
      }
    }
    const store: ReadStore = {
      read: (name, options) => memory.read(name, options),
      size: (name) => memory.size(name),
      list: (prefix) => memory.list(prefix),
      localPath: (name) => `${folder}/${name.replaceAll("/", "_")}`,
    };
    await using reader = await openStoreReader(store, { hasher: wasmHasher });
    const file = await reader.openContent(pack.objectId, plain.length);
    deepEqual(await collect(file.stream()), plain);
    // Who still reads when others have closed it leaves nothing open.
    const late = await openStoreReader(store, { hasher: wasmHasher });
    const rest = await late.openContent(pack.objectId, plain.length);
    await late[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]();
    deepEqual(await collect(rest.stream()), plain);
    if (Deno.build.os === "linux") deepEqual(openFilesIn(folder), []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("StoreReader ends with its signal", async () => {
  const plain = new Random(4).bytes(300_000);
  const pack = makeLarge(plain, { kind: content });
  await using reader = await openStoreReader(await storeOf([pack]), {
    hasher: wasmHasher,
  });
  const file = await reader.openContent(pack.objectId, plain.length);
  const signal = AbortSignal.abort(new Error("enough"));
  await rejects(file.read(0, 10, { signal }), /enough/);
});

Deno.test("StoreReader reads a frame once for all who ask", async () => {
  const random = new Random(9);
  const plains = Array.from({ length: 10 }, () => random.bytes(500));
  const memory = await storeOf([makePack([plains])]);
  let readCount = 0;
  const store: ReadStore = {
    read: (name, options) => {
      if (name.startsWith("packs/")) readCount++;
      return memory.read(name, options);
    },
    size: (name) => memory.size(name),
    list: (prefix) => memory.list(prefix),
  };
  await using reader = await openStoreReader(store, { hasher: wasmHasher });
  const read = await Promise.all(
    plains.map((plain) => reader.readObject(idOf(plain), content)),
  );
  deepEqual(read, plains);
  equal(readCount, 1);
});

Deno.test("ContentReader reads ranges at the same time", async () => {
  const random = new Random(12);
  const plain = random.bytes(500_000);
  const pack = makeLarge(plain, { kind: content });
  await using reader = await openStoreReader(await storeOf([pack]), {
    hasher: wasmHasher,
  });
  const file = await reader.openContent(pack.objectId, plain.length);
  const starts = Array.from({ length: 40 }, () => random.below(480_000));
  const read = await Promise.all(
    starts.map((start) => file.read(start, 20_000)),
  );
  starts.forEach((start, i) => {
    deepEqual(read[i], plain.slice(start, start + 20_000));
  });
  await rejects(file.read(-1, 5), RangeError);
  equal((await file.read(plain.length, 5)).length, 0);
  const stream = file.stream();
  await stream.cancel();
});

Deno.test("every flipped bit of a store gives an error or the right bytes", async () => {
  const plain = new Random(3).bytes(30);
  const pack = makePack([[plain]]);
  const [table] = buildIndex([pack], INDEX_OPTIONS);
  const id = idOf(plain);
  const files = [{ name: packName(pack.id), bytes: pack.bytes }, table];
  for (const { name, bytes } of files) {
    for (let at = 0; at < bytes.length; at++) {
      // Zeros of an index are many and all alike: one in eight.
      if (bytes[at] === 0 && at % 8 > 0) continue;
      const damaged = bytes.slice();
      damaged[at] ^= 1 << at % 8;
      const store = new MemoryStore();
      for (const file of files) {
        const isDamaged = file.name === name;
        await store.create(file.name, isDamaged ? damaged : file.bytes);
      }
      try {
        await using reader = await openStoreReader(store, {
          hasher: wasmHasher,
        });
        const read = await reader.readObject(id, content);
        equal(read.toHex(), plain.toHex());
      } catch (error) {
        const known = error instanceof SyntaxError ||
          error instanceof DamageError ||
          error instanceof UnsupportedVersionError;
        ok(known, `byte ${at} of ${name}: ${error}`);
      }
    }
  }
});
