// A store in this process and a server: what crosses, in how many requests, and what
// becomes of a line or a server that is not to be trusted.
import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { crc32 } from "node:zlib";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { ObjectKind } from "@snap/pack";
import { zstdCodec } from "@snap/pack/codecs";
import { openStoreReader } from "@snap/pack/read";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import { PackWriter } from "@snap/pack/write";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { type NamedRecord, tagSnapshot } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import type { MemoryStore } from "@snap/store/memory";
import type { Right } from "@snap/store/serve";
import { FaultStore } from "@snap/store/testing";
import { seededTest } from "../tests/_prng.ts";
import { LATER, makeTree } from "../tests/_saves.ts";
import {
  checkSame,
  makeMemorySnapshots,
  namesIn,
  noise,
  readDisk,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { contentId, TestSnapshots } from "../tests/_test_snapshots.ts";
import { sync } from "./engine/sync.ts";
import { SyncError } from "./errors.ts";
import { singleFrame } from "./move/single_frame.ts";
import { ObjectRows } from "./object_rows.ts";
import { type Env, newMeter, type Observer, systemEnv } from "./options.ts";
import { MemoryPacks } from "./packs/memory_packs.ts";
import { openPack } from "./packs/open_pack.ts";
import type { Peer } from "./peer/peer.ts";
import { remotePeer } from "./peer/remote_peer.ts";
import { storePeer } from "./peer/store_peer.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MESSAGE_ROOM,
  SectionKind,
  Verb,
} from "./protocol/message.ts";
import {
  documentsSection,
  fieldsSection,
  idsSection,
  rangesSection,
  readDocuments,
} from "./protocol/sections.ts";
import { LAST_ID } from "./records.ts";
import { syncHandler, type SyncHandlerOptions } from "./serve/sync_handler.ts";
import {
  faultyTransport,
  memoryTransport,
  mockTransport,
} from "./testing/mod.ts";
import type { Transport } from "./transport.ts";

/** Does not wait. */
const env: Env = { ...systemEnv, sleep: () => Promise.resolve() };

function local({ store }: { store: WriteStore }): Peer {
  return storePeer(store, { hasher });
}

function line(
  { store }: { store: WriteStore },
  right: Right = "prune",
  options: Partial<SyncHandlerOptions> = {},
): Transport {
  const handler = syncHandler(store, { hasher, ...options });
  const { signal } = new AbortController();
  return memoryTransport((request) => handler(request, { right, signal }));
}

function remote(transport: Transport): Peer {
  return remotePeer(transport, { hasher });
}

async function saveOne(
  snapshots: Snapshots<WriteStore>,
  folder: TemporaryFolder,
  name: string,
): Promise<NamedRecord> {
  const path = folder.join(name);
  makeTree(path);
  Deno.writeFileSync(`${path}/large`, noise(3_000_000, 5));
  const { record } = await save(snapshots, path, LATER);
  return record!;
}

Deno.test("sync pushes a snapshot to a server, which proves it", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  await tagSnapshot(a, "main", record);
  const report = await sync(local(a), remote(line(b, "append")), { env });
  deepStrictEqual(report.errors, []);
  deepStrictEqual([report.recordsCopied, report.tagEntries], [1, 1]);
  await checkSame(a, b, record);
});

Deno.test("sync pulls a snapshot from a server", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(b, folder, "tree");
  const report = await sync(local(a), remote(line(b, "read")), {
    env,
    push: false,
  });
  deepStrictEqual(report.errors, []);
  strictEqual(report.recordsCopied, 1);
  await checkSame(b, a, record);
});

Deno.test("equal sides cost one request", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  await tagSnapshot(a, "main", record);
  await sync(local(a), remote(line(b)), { env });
  const mock = mockTransport(line(b));
  const report = await sync(local(a), remote(mock), { env });
  strictEqual(report.requests, 1);
  strictEqual(mock.passed.length, 1);
  const pulled = await sync(remote(line(b)), local(a), { env, pull: false });
  strictEqual(pulled.requests, 1);
  const [{ request, answer }] = mock.passed;
  ok(request.length + answer!.length < 1000);
});

/** Changes answers to a verb, as a server might that is not to be trusted. */
function tampering(
  inner: Transport,
  verb: number,
  change: (answer: Message, number: number) => Message,
): Transport {
  let number = 0;
  return mockTransport(inner, (bytes) => {
    const answer = decodeMessage(bytes, hasher);
    if (answer.verb !== verb || answer.type !== 1) return bytes;
    return encodeMessage(change(answer, number++), hasher);
  });
}

/** Changes the packs of an answer. */
function withPacks(
  answer: Message,
  change: (pack: Uint8Array) => Uint8Array,
): Message {
  const sections = answer.sections.map((section) =>
    section.kind === SectionKind.pack
      ? { ...section, bytes: change(section.bytes.slice()) }
      : section
  );
  return { ...answer, sections };
}

/** A pack of one content. */
function packOf(
  bytes: Uint8Array,
  { saveId = new Uint8Array(16), kind = 1, id }: {
    saveId?: Uint8Array;
    kind?: number;
    id?: Uint8Array;
  } = {},
): Uint8Array {
  const random = (size: number): Uint8Array => new Uint8Array(size);
  const packs = new MemoryPacks({
    ...{ saveId, random, hasher, settings: DEFAULT_SETTINGS },
  });
  const own = new Uint8Array(32);
  hasher.hashInto(bytes, own);
  packs.takeFrame(singleFrame(bytes, id ?? own, kind));
  return packs.finish()[0];
}

/** Pulls from a server that is not to be trusted, then from one that is. */
async function pullTwice(
  tamper: (inner: Transport) => Transport,
  code: string,
  found: RegExp,
): Promise<void> {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(b, folder, "tree");
  const pull = async (transport: Transport): Promise<SyncError[]> => {
    try {
      const report = await sync(local(a), remote(transport), {
        env,
        push: false,
      });
      return report.errors;
    } catch (error) {
      if (error instanceof SyncError) return [error];
      throw error;
    }
  };
  const [error] = await pull(tamper(line(b)));
  strictEqual(error?.code, code, `${error}`);
  match(error.message, found);
  strictEqual((await a.records()).length, 0);
  deepStrictEqual(await pull(line(b)), []);
  await checkSame(b, a, record);
}

Deno.test("a server that sends other bytes than it names is found out", async () => {
  const change = (inner: Transport): Transport =>
    tampering(inner, Verb.get, (answer) =>
      withPacks(answer, (pack) => {
        pack[80] ^= 1;
        return pack;
      }));
  await pullTwice(change, "MISMATCH", /cannot be decoded|have another id/);
});

Deno.test("a server that sends more than it was asked for is found out", async () => {
  const pack = packOf(noise(100, 77));
  const change = (inner: Transport): Transport =>
    tampering(inner, Verb.get, (answer) => {
      // Records are documents; what is below a record is not known before.
      const isObjects = answer.sections.some(({ kind, bytes }) =>
        kind === SectionKind.fields &&
        new TextDecoder().decode(bytes).includes("done")
      );
      if (!isObjects) return answer;
      const extra = { kind: SectionKind.pack, rows: 1, bytes: pack };
      return { ...answer, sections: [...answer.sections, extra] };
    });
  await pullTwice(change, "LYING", /not asked for/);
});

Deno.test("a server that sends without end is found out", async () => {
  let number = 0;
  const change = (inner: Transport): Transport => ({
    async exchange(bytes, options) {
      const request = decodeMessage(bytes, hasher);
      const text = new TextDecoder().decode(request.sections[0].bytes);
      if (!text.includes("below")) return await inner.exchange(bytes, options);
      const pack = packOf(noise(100, ++number));
      const sections = [
        fieldsSection({ isDone: false }),
        { kind: SectionKind.pack, rows: 1, bytes: pack },
        { kind: SectionKind.cursor, rows: 1, bytes: noise(40, number) },
      ];
      return encodeMessage({ ...request, type: 1, sections }, hasher);
    },
  });
  await pullTwice(change, "LYING", /more objects than/);
});

Deno.test("a server whose answers lead nowhere is found out", async () => {
  const change = (inner: Transport): Transport =>
    tampering(inner, Verb.get, (answer) => ({
      ...answer,
      sections: answer.sections.some(({ kind }) => kind === SectionKind.pack)
        ? [fieldsSection({ isDone: false, done: 0 })]
        : answer.sections,
    }));
  await pullTwice(change, "LYING", /leads nowhere/);
});

Deno.test("a comparison that does not come to an end is ended", async () => {
  const change = (inner: Transport): Transport => ({
    exchange: async (request, options) => {
      const message = decodeMessage(request, hasher);
      const answer = decodeMessage(
        await inner.exchange(request, options),
        hasher,
      );
      const isRanges = message.verb === Verb.hello ||
        message.verb === Verb.differ;
      if (!isRanges) return encodeMessage(answer, hasher);
      const fingerprint = noise(16, 3);
      const upper = LAST_ID;
      const ranges = rangesSection([
        { upper, count: 9, set: 0, fingerprint },
        { upper, count: 9, set: 1, fingerprint },
      ]);
      const sections = answer.sections
        .filter(({ kind }) => kind === SectionKind.tags || kind === 1)
        .map((one) =>
          message.verb === Verb.differ ? fieldsSection({ listed: [] }) : one
        );
      return encodeMessage(
        { ...answer, sections: [...sections, ranges] },
        hasher,
      );
    },
  });
  await pullTwice(change, "LYING", /without an end/);
});

Deno.test("a server with settings that cannot be is found out", async () => {
  const change = (inner: Transport): Transport =>
    tampering(inner, Verb.hello, (answer) => {
      const [first, ...rest] = answer.sections;
      const fields = JSON.parse(new TextDecoder().decode(first.bytes));
      const settings = { ...fields.settings, bundleSizeMax: -1 };
      return {
        ...answer,
        sections: [fieldsSection({ ...fields, settings }), ...rest],
      };
    });
  await pullTwice(change, "FEATURES", /bundleSizeMax/);
});

Deno.test("a server that names a record without its tree is found out", async () => {
  const change = (inner: Transport): Transport =>
    tampering(inner, Verb.hello, (answer) => {
      const sections = answer.sections.map((one) =>
        one.kind === SectionKind.ids
          ? { ...one, rows: 1, bytes: one.bytes.subarray(0, 36) }
          : one
      );
      return { ...answer, sections };
    });
  await pullTwice(change, "LYING", /sent record/);
});

Deno.test("a server with an entry of a tag that is none is found out", async () => {
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  using folder = new TemporaryFolder();
  await tagSnapshot(b, "main", await saveOne(b, folder, "tree"));
  const change = (answer: Message): Message => {
    const [entry] = readDocuments(answer.sections[0]);
    const text = new TextDecoder().decode(entry).replace(
      /"tree":"./,
      '"tree":"x',
    );
    return {
      ...answer,
      sections: [documentsSection([new TextEncoder().encode(text)])],
    };
  };
  const transport = tampering(line(b), Verb.tags, change);
  await rejects(sync(local(a), remote(transport), { env }), { code: "FORMAT" });
  deepStrictEqual(await namesIn(a.store, "tags/"), []);
});

Deno.test("a server of another version says so", async () => {
  const change = (inner: Transport): Transport =>
    mockTransport(inner, (bytes) => {
      const other = bytes.slice();
      other[7] = "2".charCodeAt(0);
      return other;
    });
  await pullTwice(change, "VERSION", /its version is 1: found 2/);
});

Deno.test("an old answer that comes again is not taken", async () => {
  let old: Uint8Array | undefined;
  const change = (inner: Transport): Transport =>
    mockTransport(inner, (bytes) => old ??= bytes);
  await pullTwice(change, "FORMAT", /to another request/);
});

Deno.test("a frame that decodes to more than it says is not taken", () => {
  const plain = new Uint8Array(5000).fill(7);
  const stored = zstdCodec().compress(plain)!;
  const parts: Uint8Array[] = [];
  const writer = new PackWriter({
    ...{ role: 1, hasher, codec: zstdCodec() },
    saveId: new Uint8Array(16),
    salt: new Uint8Array(32),
    sink: { write: (bytes) => void parts.push(bytes.slice()) },
  });
  const id = new Uint8Array(32);
  hasher.hashInto(plain.subarray(0, 50), id);
  const frame = { plainSize: 50, codecTag: 2, crc: crc32(stored) };
  writer.addStoredFrame(stored, frame, {
    ...{ count: 1, ids: id, kinds: Uint8Array.of(1) },
    offsets: Uint32Array.of(0),
    sizes: Uint32Array.of(50),
  });
  writer.finish();
  const pack = new Uint8Array(parts.flatMap((part) => [...part]));
  throws(() => [...openPack(pack, { hasher })], SyncError);
});

Deno.test("a message that is cut or changed at any byte is none", () => {
  const message: Message = {
    ...{ verb: Verb.hello, type: 0, limit: 5, sections: [] },
    session: noise(16, 1),
    request: noise(16, 2),
  };
  const sections = [fieldsSection({ version: 1 })];
  const bytes = encodeMessage({ ...message, sections }, hasher);
  const isRefused = (error: unknown): boolean =>
    error instanceof SyncError &&
    (error.code === "FORMAT" || error.code === "VERSION");
  for (let size = 0; size < bytes.length; size++) {
    throws(() => decodeMessage(bytes.subarray(0, size), hasher), isRefused);
    const changed = bytes.slice();
    changed[size] ^= 1;
    throws(() => decodeMessage(changed, hasher), isRefused);
  }
  strictEqual(decodeMessage(bytes, hasher).sections.length, 1);
});

Deno.test("a message is made around the bytes of its only section, where these have room", () => {
  const { before, after } = MESSAGE_ROOM;
  const size = 1000;
  const memory = new Uint8Array(5 + before + size + after);
  const bytes = memory.subarray(5 + before, 5 + before + size);
  bytes.set(noise(size, 3));
  const section = { kind: SectionKind.pack, rows: 1, bytes };
  const message: Message = {
    ...{ verb: Verb.put, type: 0, limit: 0, sections: [section] },
    session: noise(16, 1),
    request: noise(16, 2),
  };
  const apart = encodeMessage(message, hasher);
  const around = encodeMessage(
    { ...message, sections: [{ ...section, hasRoom: true }] },
    hasher,
  );
  strictEqual(around.buffer, memory.buffer);
  strictEqual(around.byteOffset, 5);
  deepStrictEqual(around, apart);
  const two = [section, { ...section, hasRoom: true }];
  const other = encodeMessage({ ...message, sections: two }, hasher);
  strictEqual(decodeMessage(other, hasher).sections.length, 2);
});

Deno.test("a token that may only read pushes nothing", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(a, folder, "tree");
  const before = await namesIn(b.store);
  await rejects(
    sync(local(a), remote(line(b, "read")), { env }),
    (error: SyncError) => error.code === "RIGHT",
  );
  deepStrictEqual(await namesIn(b.store), before);
});

/** Asks a server by hand. */
async function ask(
  transport: Transport,
  verb: Verb,
  sections: Message["sections"],
  session: Uint8Array = new Uint8Array(16),
): Promise<Message> {
  const request = noise(16, 9);
  const message = { verb, type: 0, limit: 0, session, request, sections };
  const bytes = encodeMessage(message as Message, hasher);
  return decodeMessage(await transport.exchange(bytes), hasher);
}

function errorIn(answer: Message): string {
  strictEqual(answer.type, 2);
  const { bytes } = answer.sections[0];
  return JSON.parse(new TextDecoder().decode(bytes)).code;
}

Deno.test("a server takes no pack of another session, no bad object, no root", async () => {
  await using b = await makeMemorySnapshots();
  const before = await namesIn(b.store);
  const saveId = new Uint8Array(16).fill(5), other = new Uint8Array(16).fill(6);
  const put = async (bytes: Uint8Array, session: Uint8Array): Promise<string> =>
    errorIn(
      await ask(line(b, "append"), Verb.put, [
        { kind: SectionKind.pack, rows: 1, bytes },
      ], session),
    );
  const good = packOf(noise(100, 1), { saveId });
  strictEqual(await put(good, new Uint8Array(16)), "SESSION");
  strictEqual(await put(good, other), "FORMAT");
  const id = noise(32, 4);
  const bad = packOf(noise(100, 1), { saveId, id });
  strictEqual(await put(bad, saveId), "MISMATCH");
  const root = largeRoot();
  const held = packOf(root.bytes, { saveId, id: root.id, kind: 2 });
  strictEqual(await put(held, saveId), "LYING");
  const cut = good.subarray(0, good.length - 1);
  strictEqual(await put(cut, saveId), "FORMAT");
  // Sealed without its chunks, it is no more believed.
  const sealed = await ask(line(b, "append"), Verb.seal, [
    { kind: SectionKind.pack, rows: 1, bytes: held },
  ], saveId);
  strictEqual(errorIn(sealed), "LYING");
  const read = await ask(line(b, "read"), Verb.put, [], saveId);
  strictEqual(errorIn(read), "RIGHT");
  const unended = await ask(line(b, "read"), Verb.lease, [], saveId);
  strictEqual(errorIn(unended), "RIGHT");
  for (const session of [saveId, other]) {
    await ask(line(b, "append"), Verb.lease, [], session);
  }
  deepStrictEqual(await namesIn(b.store), before);
});

/** The root of a recipe that names chunks which nobody has. */
function largeRoot(): { bytes: Uint8Array; id: Uint8Array } {
  let bytes = new Uint8Array(0);
  const builder = new RecipeBuilder({
    hasher,
    onNode: (node: Uint8Array) => void (bytes = node.slice()),
  });
  builder.push(noise(32, 8), 0, 40_000);
  builder.push(noise(32, 9), 0, 40_000);
  const id = noise(32, 10);
  builder.finish({ id, kind: 1 });
  return { bytes, id };
}

Deno.test("a recipe that lies enters no store, whichever side has it", async () => {
  using folder = new TemporaryFolder();
  const lies = new TestSnapshots();
  const truth = noise(3_000_000, 3);
  const chunks = [noise(40_000, 1), noise(2_960_000, 2)];
  const id = contentId(truth);
  await lies.save({ sound: { file: "sound" }, large: { chunks, id } });
  await using from = await lies.open();
  Deno.writeFileSync(folder.join("large"), truth);
  for (const far of [false, true]) {
    await using to = await makeMemorySnapshots();
    const source = far ? remote(line(from)) : local(from);
    let errors: readonly unknown[];
    try {
      ({ errors } = await sync(source, local(to), { env, pull: false }));
    } catch (error) {
      errors = [error];
    }
    strictEqual((errors[0] as SyncError).code, "LYING", `${errors[0]}`);
    strictEqual((await to.records()).length, 0);
    await using reader = await openStoreReader(to.store, { hasher });
    strictEqual(await reader.readStored(id, ObjectKind.recipe), undefined);
    // What comes later is stored, and not taken for what is there.
    const { record } = await save(to, folder.path, LATER);
    sameEntries(await readSnapshot(to, record!), readDisk(folder.path));
  }
});

Deno.test("a server that says that all is there is asked again at the end", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  const transport = tampering(line(b), Verb.missing, (answer, number) => ({
    ...answer,
    sections: answer.sections.map((section) => ({
      ...section,
      bytes: number === 0
        ? new Uint8Array(section.bytes.length)
        : section.bytes,
    })),
  }));
  const { errors } = await sync(local(a), remote(transport), { env });
  deepStrictEqual(errors.map(({ message }) => message), []);
  await checkSame(a, b, record);
});

Deno.test("a full disk of the server is said, and the next run goes on", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  const faulty = new FaultStore(b.store, {
    at: [{ call: 2, fault: "full" }],
    actions: ["create"],
  });
  await rejects(
    sync(local(a), remote(line({ store: faulty })), { env }),
    (error: SyncError) => error.code === "FULL",
  );
  strictEqual((await b.records()).length, 0);
  await sync(local(a), remote(line(b)), { env });
  await checkSame(a, b, record);
});

Deno.test("what a source has lost is named, the rest is copied", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  Deno.mkdirSync(folder.join("lost"));
  Deno.writeFileSync(folder.join("lost/file"), noise(5000, 6));
  const { record: lost } = await save(b, folder.join("lost"), LATER);
  const packs = new Set(await namesIn(b.store, "packs/"));
  const record = await saveOne(b, folder, "tree");
  for (const far of [false, true]) {
    await using to = far ? a : await makeMemorySnapshots();
    const removed: [string, Uint8Array][] = [];
    if (far) {
      // Gone between two requests.
      const transport = tampering(line(b), Verb.hello, (answer) => answer);
      const inner = transport.exchange.bind(transport);
      let count = 0;
      const line2: Transport = {
        async exchange(request) {
          if (++count === 2) await removeData(b.store, packs, removed);
          return await inner(request);
        },
      };
      const { errors } = await sync(local(to), remote(line2), {
        env,
        push: false,
      });
      strictEqual(errors[0]?.code, "GONE", `${errors[0]}`);
    } else {
      await removeData(b.store, packs, removed);
      const { errors } = await sync(local(b), local(to), { pull: false });
      strictEqual(errors[0]?.code, "GONE", `${errors[0]}`);
    }
    deepStrictEqual((await to.records()).map((one) => one.record), [
      record.record,
    ]);
    for (const [name, bytes] of removed) await b.store.create(name, bytes);
    await sync(local(b), local(to), { pull: false });
    await checkSame(b, to, lost!);
  }
});

/** Removes data packs. */
async function removeData(
  store: MemoryStore,
  names: ReadonlySet<string>,
  removed: [string, Uint8Array][],
): Promise<void> {
  for (const name of names) {
    const bytes = await store.read(name);
    // The role stands 16 bytes before the end.
    if (bytes[bytes.length - 16] !== 1) continue;
    removed.push([name, bytes]);
    await store.remove(name);
  }
}

seededTest(
  "sync over a line that fails in every way comes to an end that is right",
  async (prng) => {
    using folder = new TemporaryFolder();
    await using a = await makeMemorySnapshots();
    await using b = await makeMemorySnapshots();
    const first = await saveOne(a, folder, "tree");
    Deno.mkdirSync(folder.join("other"));
    Deno.writeFileSync(folder.join("other/file"), noise(900_000, 8));
    const { record: second } = await save(b, folder.join("other"), LATER);
    await tagSnapshot(a, "main", first);
    const faults = ["drop", "lose", "twice", "late", "cut", "flip"] as const;
    const transport = faultyTransport(
      line(b),
      () => prng.unit() < 0.3 ? prng.pick(faults) : undefined,
    );
    const { errors } = await sync(local(a), remote(transport), { env });
    deepStrictEqual(errors.map(({ message }) => message), []);
    await checkSame(a, b, first);
    await checkSame(b, a, second!);
    const report = await sync(local(a), remote(line(b)), { env });
    strictEqual(report.requests, 1);
  },
  { roundCount: 8 },
);

seededTest("what a broken run has moved is not sent again", async (prng) => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  Deno.mkdirSync(folder.join("tree"));
  for (let i = 0; i < 30; i++) {
    Deno.writeFileSync(folder.join(`tree/${i}`), noise(100_000, i + 1));
  }
  const { record } = await save(a, folder.join("tree"), LATER);
  const stop = new AbortController();
  let count = prng.below(7);
  const transport: Transport = {
    exchange: async (request, options) => {
      if (count-- === 0) stop.abort(new Error("killed"));
      return await line(b).exchange(request, options);
    },
  };
  const { signal } = stop;
  let sent = 0;
  try {
    const how = { env, signal, meter: newMeter() };
    await sync(local(a), remote(transport), how).finally(() => {
      sent = how.meter.bytesOut;
    });
  } catch (error) {
    strictEqual((error as Error).message, "killed");
  }
  const { bytesOut } = await sync(local(a), remote(line(b)), { env });
  ok(sent + bytesOut < 3_000_000 + 2_000_000, `${sent} and ${bytesOut}`);
  await checkSame(a, b, record!);
}, { roundCount: 8 });

Deno.test("a dry run, and who may only read, change nothing at a server", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(a, folder, "tree");
  // A pack that no table names: who writes would make it an index.
  const saveId = new Uint8Array(16).fill(3);
  const pack = packOf(noise(100, 3), { saveId });
  const sections = [{ kind: SectionKind.pack, rows: 1, bytes: pack }];
  await ask(line(b), Verb.put, sections, saveId);
  await ask(line(b), Verb.lease, [], saveId);
  const before = await namesIn(b.store);
  strictEqual(before.some((name) => name.startsWith("packs/")), true);
  const how = { env, dryRun: true };
  const report = await sync(local(a), remote(line(b)), how);
  strictEqual(report.recordsCopied, 1);
  ok(report.bytesTotal > 3_000_000);
  const rows = new ObjectRows();
  rows.add(noise(32, 5), 0, 1, 0);
  await ask(line(b, "read"), Verb.missing, [idsSection(rows)], saveId);
  deepStrictEqual(await namesIn(b.store), before);
  await sync(local(b), local(a), { dryRun: true });
  await sync(local(a), local(b), { dryRun: true });
  deepStrictEqual(await namesIn(b.store), before);
});

Deno.test("an observer on both sides hears sessions, rounds and requests, nested", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(a, folder, "tree");
  const heard: string[] = [];
  const observer = (side: string): Observer => ({
    sessionStarted: ({ from, to }) => void heard.push(`${side} ${from} ${to}`),
    sessionEnded: (_, { report }) =>
      void heard.push(`${side} ended ${report?.recordsCopied}`),
    roundStarted: (_, round) => {
      heard.push(`${side} round ${round}`);
      return "round";
    },
    roundEnded: (context, { recordsCopied }) =>
      void heard.push(`${side} ${context} over ${recordsCopied}`),
    requestStarted: ({ verb }) => {
      heard.push(`${side} asks ${verb}`);
      return verb;
    },
    requestEnded: (context, { bytes, error }) => {
      ok(bytes > 0 && error === undefined);
      heard.push(`${side} done ${context}`);
    },
  });
  const transport = line(b, "append", { observer: observer("server") });
  const meter = newMeter();
  await sync(local(a), remote(transport), {
    ...{ env, meter, observer: observer("client") },
  });
  ok(meter.objectsOut > 10 && meter.bytesOut > 3_000_000);
  deepStrictEqual(heard.slice(0, 5), [
    "client the store memory",
    "client asks hello",
    "server asks hello",
    "server done hello",
    "client done hello",
  ]);
  ok(heard.includes("client round 1") && heard.includes("client round over 1"));
  strictEqual(heard.at(-1), "client ended 1");
});

Deno.test("counters say in the end that all was met and brought, either way", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(a, folder, "tree");
  const server = remote(line(a));
  for (
    const [one, other] of [[local(a), local(b)], [server, local(b)], [
      local(a),
      remote(line(b)),
    ]]
  ) {
    const meter = newMeter();
    await sync(one, other, { env, meter, pull: false, recheck: true });
    const { isWalked, bytesDone, bytesTotal } = meter;
    deepStrictEqual([isWalked, bytesDone], [true, bytesTotal]);
    for (const name of await namesIn(b.store, "packs/")) {
      await b.store.remove(name);
    }
    ok(bytesTotal > 3_000_000);
  }
});

Deno.test("recheck brings what a record of the server has lost", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  await sync(local(a), remote(line(b)), { env });
  for (const name of await namesIn(b.store, "packs/")) {
    await b.store.remove(name);
  }
  const plain = await sync(local(a), remote(line(b)), { env });
  strictEqual(plain.requests, 1);
  const { errors } = await sync(local(a), remote(line(b)), {
    ...{ env, recheck: true, pull: false },
  });
  deepStrictEqual(errors.map(({ message }) => message), []);
  await checkSame(a, b, record);
});

Deno.test("what a side has forgotten a server forgets, if its token may", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  await sync(local(a), remote(line(b)), { env });
  await using session = await local(a).connect({ meter: newMeter() });
  await session.forget([record.record]);
  const how = { env, pull: false, mirror: "forgets" } as const;
  await rejects(
    sync(local(a), remote(line(b, "append")), how),
    (error: SyncError) => error.code === "RIGHT",
  );
  const report = await sync(local(a), remote(line(b)), how);
  strictEqual(report.recordsRemoved, 1);
  strictEqual((await b.records()).length, 0);
  strictEqual((await a.records()).length, 0);
});

/** Saves a tree ten times, each time with another file in it. */
async function saveTen(
  snapshots: Snapshots<WriteStore>,
  folder: TemporaryFolder,
): Promise<NamedRecord[]> {
  const path = folder.join("tree");
  makeTree(path);
  const records: NamedRecord[] = [];
  for (let i = 0; i < 10; i++) {
    Deno.writeTextFileSync(`${path}/change`, `change ${i}`);
    records.push((await save(snapshots, path, LATER)).record!);
  }
  return records;
}

Deno.test("ten records cost no more requests than one", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await using c = await makeMemorySnapshots();
  const records = await saveTen(a, folder);
  const pushed = await sync(local(a), remote(line(b)), { env });
  // hello, missing, once more for chunks, put, seal, commit
  deepStrictEqual([pushed.recordsCopied, pushed.requests], [10, 7]);
  const pulled = await sync(local(c), remote(line(b)), { env });
  // hello, get records, get below, chunks
  deepStrictEqual([pulled.recordsCopied, pulled.requests], [10, 4]);
  for (const snapshots of [b, c]) {
    for (const record of records) await checkSame(a, snapshots, record);
  }
});

Deno.test("of what a side has nothing crosses again but what changed", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(b, folder, "tree");
  await sync(local(a), remote(line(b)), { env });
  Deno.writeTextFileSync(folder.join("tree", "change"), "changed");
  const { record } = await save(b, folder.join("tree"), LATER);
  const transport = mockTransport(line(b));
  const report = await sync(local(a), remote(transport), { env });
  deepStrictEqual([report.recordsCopied, report.requests], [1, 3]);
  // The root, its page, the content.
  strictEqual(report.objectsIn, 3);
  await checkSame(b, a, record!);
});

Deno.test("a server that has little time for each request takes all of a record", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await using c = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  const slow = line(b, "append", { workMs: 0 });
  const pushed = await sync(local(a), remote(slow), { env });
  const { recordsCopied, errors, requests } = pushed;
  deepStrictEqual([recordsCopied, errors], [1, []]);
  ok(requests > 10, `${requests}`);
  await checkSame(a, b, record);
  await sync(local(c), remote(slow), { env });
  await checkSame(a, c, record);
});
