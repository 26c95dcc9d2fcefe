// The writer without a save: what is kept, what is missing, what is durable when.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { crc32 } from "node:zlib";
import { TREE_CONTEXT } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { zstdCodec } from "../codec/zstd_codec.ts";
import { StoreError, type WriteStore } from "@snap/store";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import { appendStep } from "@snap/store/removal";
import { FaultStore } from "@snap/store/testing";
import { namesIn, noise } from "../../tests/_snapshots.ts";
import { PackSyntaxError } from "../errors.ts";
import { ObjectKind, PackRole } from "../object_kind.ts";
import { openStoreReader } from "../read/store_reader.ts";
import type { ObjectWriter, ObjectWriterOptions } from "./object_writer.ts";
import { openObjectWriter } from "./open_object_writer.ts";
import { PackTable } from "./pack_table.ts";
import type { FinishedPackFile } from "./pack_files.ts";
import { ObjectSink } from "./object_sink.ts";

let saveCount = 0;

async function openWriter(
  store: WriteStore,
  options: Partial<ObjectWriterOptions> = {},
): Promise<ObjectWriter> {
  return await openObjectWriter(store, {
    saveId: new Uint8Array(16).fill(++saveCount),
    hasher,
    settings: { ...DEFAULT_SETTINGS, codec: "none" },
    ...options,
  });
}

function idOf(plain: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  hasher.hashInto(plain, id);
  return id;
}

function put(writer: ObjectWriter, plain: Uint8Array): boolean {
  const sink = writer.sink();
  sink.reserve(plain.length).set(plain);
  return sink.commit(idOf(plain), 0, plain.length);
}

/** Stores objects, as a run does that goes well. */
async function store(into: WriteStore, ...plains: Uint8Array[]): Promise<void> {
  await using writer = await openWriter(into);
  for (const plain of plains) put(writer, plain);
  await writer.finish();
  await writer.confirm();
}

const A = noise(1000, 1), B = noise(2000, 2), C = noise(3000, 3);

Deno.test("ObjectWriter keeps each object once, and what the store has not at all", async () => {
  const memory = new MemoryStore();
  await store(memory, A);
  await using writer = await openWriter(memory);
  equal(put(writer, A), false);
  equal(put(writer, B), true);
  equal(put(writer, B), false);
  equal(writer.sink().newByteCount, B.length);
  equal(writer.sink().newObjectCount, 1);
  await writer.finish();
  await using reader = await openStoreReader(memory, { hasher });
  for (const plain of [A, B]) {
    const { content } = ObjectKind;
    deepEqual(await reader.readObject(idOf(plain), content), plain);
  }
  equal((await namesIn(memory, "packs/")).length, 2);
});

Deno.test("ObjectWriter that copies keeps what the store has, once", async () => {
  const memory = new MemoryStore();
  await store(memory, A);
  await using writer = await openWriter(memory, { mode: "copy" });
  equal(put(writer, A), true);
  equal(put(writer, A), false);
  await writer.finish();
  equal((await namesIn(memory, "packs/")).length, 2);
});

Deno.test("ObjectWriter that counts writes nothing", async () => {
  const memory = new MemoryStore();
  await store(memory, A);
  const before = await namesIn(memory);
  await using writer = await openWriter(memory, { mode: "count" });
  equal(put(writer, A), false);
  equal(put(writer, C), true);
  writer.addRecipe([{ id: idOf(B), bytes: B, isRoot: true }]);
  await writer.finish();
  equal(writer.sink().newByteCount, C.length);
  deepEqual(await namesIn(memory), before);
});

Deno.test("ObjectWriter says what a caller has to bring", async () => {
  const memory = new MemoryStore();
  await store(memory, A);
  await using writer = await openWriter(memory);
  const ids = new Uint8Array(96);
  for (const [i, plain] of [A, B, A].entries()) ids.set(idOf(plain), 32 * i);
  const { content, tree } = ObjectKind;
  deepEqual(
    await writer.missing(ids, Uint8Array.of(content, content, tree)),
    Uint8Array.of(0, 1, 1),
  );
  writer.sink().distrust(idOf(A));
  deepEqual(
    await writer.missing(ids, Uint8Array.of(content)),
    Uint8Array.of(1),
  );
});

Deno.test("ObjectWriter knows after makeRoom what it has stored before", async () => {
  const memory = new MemoryStore();
  await using writer = await openWriter(memory, { claimSlots: 256 });
  for (let i = 0; !writer.isFull; i++) put(writer, noise(100, i + 1));
  await writer.makeRoom();
  equal(writer.isFull, false);
  equal(put(writer, noise(100, 1)), false);
  equal(put(writer, A), true);
  await writer.finish();
});

Deno.test("ObjectWriter believes after makeRoom in no pack that was removed meanwhile", async () => {
  const memory = new MemoryStore();
  await store(memory, A);
  const [old] = await namesIn(memory, "packs/");
  const pruner = { saveId: new Uint8Array(16) };
  const packs = [old.slice(old.lastIndexOf("/") + 1)];
  await appendStep(memory, 1, { step: "condemned", packs }, pruner);
  await using writer = await openWriter(memory);
  // The round does not wait for who has begun after it.
  await memory.remove(old);
  await appendStep(memory, 2, { step: "done" }, pruner);
  equal(put(writer, B), true);
  await writer.makeRoom();
  equal(put(writer, A), true);
  equal(put(writer, B), false);
});

/** Loses a pack when a byte of it is read for the nth time. */
class LosingStore extends MemoryStore {
  #readsLeft: number;

  constructor(readsLeft: number) {
    super();
    this.#readsLeft = readsLeft;
  }

  override async read(
    ...[name, options]: Parameters<MemoryStore["read"]>
  ): Promise<Uint8Array> {
    const isLost = name.startsWith("packs/") && this.#readsLeft-- === 0;
    if (isLost) await this.remove(name);
    return await super.read(name, options);
  }
}

for (const reads of [0, 1]) {
  Deno.test(`ObjectWriter passes over a pack in no table that others remove after ${reads} reads`, async () => {
    const losing = new LosingStore(reads);
    await store(losing, A);
    for (const name of await namesIn(losing, "index/")) {
      await losing.remove(name);
    }
    const damaged: string[] = [];
    await using writer = await openWriter(losing, {
      onDamage: (name) => damaged.push(name),
    });
    deepEqual(await namesIn(losing, "packs/"), []);
    equal(put(writer, A), true);
    deepEqual(damaged, []);
  });
}

Deno.test("ObjectWriter that gives up drops what is far from a full pack", async () => {
  const memory = new MemoryStore();
  {
    await using writer = await openWriter(memory);
    put(writer, A);
    writer.sink().finish();
    put(writer, B);
    await writer.giveUp();
  }
  equal((await namesIn(memory, "packs/")).length, 0, "small ones are dropped");
  await using writer = await openWriter(memory);
  equal(put(writer, A), true);
});

Deno.test("ObjectWriter says that a pack could not be stored, and does not finish", async () => {
  const memory = new MemoryStore();
  const faulty = new FaultStore(memory, {
    at: Array.from({ length: 20 }, (_, i) => ({ call: i + 5, fault: "error" })),
  });
  await using writer = await openWriter(faulty);
  put(writer, A);
  await rejects(writer.finish(), StoreError);
  ok(writer.failure.aborted);
  await writer.giveUp();
  deepEqual(await namesIn(memory, "index/"), []);
});

Deno.test("ObjectSink takes frames as they are stored elsewhere, and checks them", async () => {
  const memory = new MemoryStore();
  await using writer = await openWriter(memory);
  const packs: FinishedPackFile[] = [];
  using other = new ObjectSink(writer.sinkConfig(), {
    hasher,
    random: (size) => new Uint8Array(size),
    target: { addPack: (pack) => void packs.push(pack) },
  });
  other.reserve(A.length).set(A);
  other.commit(idOf(A), 0, A.length);
  other.finish();
  const table = PackTable.decode(packs[0].table, packs[0]);
  const frame = {
    plainSize: A.length,
    codecTag: table.codecTag(0),
    crc: table.crc(0),
  };
  const rows = {
    count: 1,
    ids: idOf(A),
    kinds: Uint8Array.of(ObjectKind.content),
    offsets: Uint32Array.of(0),
    sizes: Uint32Array.of(A.length),
  };
  writer.sink().putFrame(A, frame, rows, PackRole.data);
  await writer.finish();
  await using reader = await openStoreReader(memory, { hasher });
  deepEqual(await reader.readObject(idOf(A), ObjectKind.content), A);
  await rejects(async () => {
    await using broken = await openWriter(new MemoryStore());
    broken.sink().putFrame(B, frame, rows, PackRole.data);
  }, PackSyntaxError);
});

Deno.test("ObjectSink takes a frame as it is stored if all of it is new, else what is new", async () => {
  const memory = new MemoryStore();
  await store(memory, B);
  const plain = new Uint8Array([...A, ...B, ...C]);
  const rows = {
    count: 3,
    ids: new Uint8Array([A, B, C].flatMap((one) => [...idOf(one)])),
    kinds: Uint8Array.of(1, 1, 1),
    offsets: Uint32Array.of(0, A.length, A.length + B.length),
    sizes: Uint32Array.of(A.length, B.length, C.length),
  };
  const stored = zstdCodec({ level: 1 }).compress(plain) ?? plain;
  const codecTag = stored === plain ? 0 : 2;
  const frame = {
    ...{ stored, plain, rows, codecTag, role: PackRole.data },
    plainSize: plain.length,
    crc: crc32(stored),
  };
  {
    await using writer = await openWriter(memory);
    equal(writer.sink().takeFrame(frame), 2);
    equal(writer.sink().takeFrame(frame), 0);
    await writer.finish();
  }
  {
    await using writer = await openWriter(memory);
    const missing = { ...frame, isMissing: true };
    equal(writer.sink().takeFrame(missing), 3, "no look at the store");
    equal(writer.claims.has(idOf(B), 0), true);
    equal(writer.sink().takeFrame(missing), 0);
  }
  const fresh = new MemoryStore();
  {
    await using writer = await openWriter(fresh);
    equal(writer.sink().takeFrame(frame), 3);
    await writer.finish();
  }
  const flipped = new MemoryStore();
  {
    await using writer = await openWriter(flipped);
    const crc = (frame.crc ^ 1) >>> 0;
    equal(writer.sink().takeFrame({ ...frame, crc }), 3);
    await writer.finish();
  }
  for (const one of [memory, fresh, flipped]) {
    await using reader = await openStoreReader(one, { hasher });
    for (const plain of [A, B, C]) {
      deepEqual(await reader.readObject(idOf(plain), 1), plain);
    }
    const location = await reader.index.locate(idOf(A), 1);
    equal(location!.storedSize, one === memory ? 3000 + 1000 : stored.length);
  }
});

Deno.test("ObjectSink takes objects that are larger than those that are cut here", async () => {
  const memory = new MemoryStore();
  const large = noise(1_000_000, 4), tree = noise(900_000, 5);
  const treeId = new Uint8Array(32);
  hasher.deriveInto(TREE_CONTEXT, tree, treeId);
  await using writer = await openWriter(memory);
  for (
    const [bytes, id, kind, role] of [
      [large, idOf(large), ObjectKind.content, PackRole.data],
      [tree, treeId, ObjectKind.tree, PackRole.trees],
    ] as const
  ) {
    // A frame of which only the first object is wanted.
    const plain = new Uint8Array([...bytes, 1]);
    writer.sink().takeFrame({
      ...{ stored: plain, plain, role, codecTag: 0, crc: crc32(plain) },
      plainSize: plain.length,
      rows: {
        count: 1,
        ids: id,
        kinds: Uint8Array.of(kind),
        offsets: Uint32Array.of(0),
        sizes: Uint32Array.of(bytes.length),
      },
    });
  }
  await writer.finish();
  await using reader = await openStoreReader(memory, { hasher });
  deepEqual(await reader.readObject(idOf(large), ObjectKind.content), large);
  deepEqual(await reader.readObject(treeId, ObjectKind.tree), tree);
});
