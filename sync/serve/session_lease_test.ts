import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { PackRole } from "@snap/pack";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { listRecordNames, type NamedRecord } from "@snap/snapshot/records";
import { type ReadStore, StoreError, type WriteStore } from "@snap/store";
import type { MemoryStore } from "@snap/store/memory";
import {
  appendStep,
  createVoid,
  listLeases,
  openLease,
  readSaveIds,
  type RoundStep,
} from "@snap/store/removal";
import { LATER, makeTree } from "../../tests/_saves.ts";
import {
  checkSame,
  makeMemorySnapshots,
  namesIn,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { sync } from "../engine/sync.ts";
import { SyncError } from "../errors.ts";
import { type Env, newMeter, systemEnv } from "../options.ts";
import { RemoteConnection } from "../peer/remote_connection.ts";
import { remotePeer } from "../peer/remote_peer.ts";
import { storePeer } from "../peer/store_peer.ts";
import { decodeMessage, encodeMessage, Verb } from "../protocol/message.ts";
import { memoryTransport } from "../testing/mod.ts";
import type { Transport } from "../transport.ts";
import { SessionLease } from "./session_lease.ts";
import { syncHandler } from "./sync_handler.ts";

const PRUNER = { saveId: new Uint8Array(16).fill(9) };
const SESSION = new Uint8Array(16).fill(5);
const SESSION_ID = "05".repeat(16);
const OTHER = "06".repeat(16);
const MINUTE_MS = 60_000;
/** Does not wait. */
const env: Env = { ...systemEnv, sleep: () => Promise.resolve() };

async function append(
  store: WriteStore,
  number: number,
  step: RoundStep,
): Promise<void> {
  strictEqual(await appendStep(store, number, step, PRUNER), "appended");
}

/** A lease at a server whose clock is moved by hand. */
function leaseAt(
  store: WriteStore,
  clock: { ms: number } = { ms: Date.now() },
): SessionLease {
  const now = (): number => clock.ms;
  return new SessionLease({
    store,
    session: SESSION,
    env: { ...systemEnv, now },
  });
}

/** A store in which files are created in another way. */
function withCreate<T extends WriteStore>(
  store: T,
  create: (name: string, bytes: Uint8Array) => Promise<boolean>,
): T {
  return new Proxy(store, {
    get(target, key) {
      if (key === "create") return create;
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SyncError && error.code === code;
}

async function entriesOf(store: ReadStore): Promise<string[]> {
  const prefix = `leases/${SESSION_ID}/`;
  return (await namesIn(store, prefix)).map((name) =>
    name.slice(prefix.length)
  );
}

Deno.test("a lease of a session is renewed by what is asked five minutes later", async () => {
  await using b = await makeMemorySnapshots();
  const clock = { ms: Date.now() };
  const lease = leaseAt(b.store, clock);
  await Promise.all([lease.hold(), lease.hold()]);
  clock.ms += 4 * MINUTE_MS;
  await lease.hold();
  deepStrictEqual(await entriesOf(b.store), ["0"]);
  clock.ms += MINUTE_MS;
  await lease.hold();
  deepStrictEqual(await entriesOf(b.store), ["0", "1"]);
  await leaseAt(b.store, clock).hold();
  deepStrictEqual(await entriesOf(b.store), ["0", "1", "2"]);
  await lease.end();
  deepStrictEqual(await entriesOf(b.store), []);
});

Deno.test("a lease that another server goes on with names save ids for both", async () => {
  await using b = await makeMemorySnapshots();
  await leaseAt(b.store).hold();
  const lease = leaseAt(b.store);
  await lease.hold();
  await lease.name([OTHER]);
  deepStrictEqual(
    await readSaveIds(b.store, SESSION_ID),
    new Set([SESSION_ID, OTHER]),
  );
});

Deno.test("a session that is over, suspected or void gets no lease", async () => {
  await using over = await makeMemorySnapshots();
  const lease = leaseAt(over.store);
  await lease.hold();
  await leaseAt(over.store).end();
  await rejects(lease.name([OTHER]), hasCode("SESSION"));
  await over.store.create(
    `leases/${SESSION_ID}/end`,
    await over.store.read("config/1"),
  );
  await openLease(over.store, { saveId: SESSION, action: "copy" });
  await rejects(leaseAt(over.store).hold(), hasCode("SESSION"));

  await using suspected = await makeMemorySnapshots();
  const sleeper = leaseAt(suspected.store);
  await sleeper.hold();
  await append(suspected.store, 1, { step: "suspects", saves: [SESSION_ID] });
  await rejects(sleeper.name([]), hasCode("VOID"));
  await rejects(sleeper.confirm([]), hasCode("VOID"));
  await rejects(leaseAt(suspected.store).hold(), hasCode("VOID"));

  await using voided = await makeMemorySnapshots();
  await createVoid(voided.store, SESSION_ID, 1, PRUNER);
  await rejects(leaseAt(voided.store).hold(), hasCode("VOID"));
  deepStrictEqual(await entriesOf(voided.store), []);
});

Deno.test("a lease that was removed beside a record of its session does not begin again", async () => {
  using folder = new TemporaryFolder();
  await using b = await makeMemorySnapshots();
  const path = folder.join("tree");
  makeTree(path);
  await save(b, path, LATER);
  const [{ writer }] = await listRecordNames(b.store);
  const session = Uint8Array.fromHex(writer);
  const lease = new SessionLease({ store: b.store, session, env });
  await rejects(lease.hold(), hasCode("SESSION"));
  deepStrictEqual([...(await listLeases(b.store)).keys()], []);
});

Deno.test("a store that fails is no session that is over", async () => {
  await using b = await makeMemorySnapshots();
  const error = new StoreError("No", { code: "EIO", action: "create" });
  const failing = withCreate(b.store, () => Promise.reject(error));
  await rejects(leaseAt(failing).hold(), StoreError);
});

/** A server at which something is done before the first request of a verb. */
function serverOf(
  { store }: { readonly store: WriteStore },
  verb: Verb,
  before: () => Promise<void>,
): Transport {
  const handler = syncHandler(store, { hasher });
  let isDone = false;
  return memoryTransport(async (request) => {
    if (!isDone && decodeMessage(request, hasher).verb === verb) {
      isDone = true;
      await before();
    }
    const { signal } = new AbortController();
    return await handler(request, { right: "append", signal });
  });
}

async function push(a: Snapshots, transport: Transport): Promise<void> {
  const peer = remotePeer(transport, { hasher });
  await sync(storePeer(a.store, { hasher }), peer, { env, pull: false });
}

async function saveOne(
  a: Snapshots<MemoryStore>,
  folder: TemporaryFolder,
): Promise<NamedRecord> {
  const path = folder.join("tree");
  makeTree(path);
  return (await save(a, path, LATER)).record!;
}

Deno.test("a session that prune overtakes writes no record, and is begun again", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder);
  let overtaken = "";
  const transport = serverOf(b, Verb.commit, async () => {
    const saves = [...(await listLeases(b.store)).keys()];
    [overtaken] = saves;
    await append(b.store, 1, { step: "suspects", saves });
    // What the session has put goes, and its lease.
    for (const name of await namesIn(b.store, "packs/")) {
      await b.store.remove(name);
    }
  });
  await push(a, transport);
  const names = await listRecordNames(b.store);
  strictEqual(names.length, 1);
  ok(names[0].writer !== overtaken);
  await append(b.store, 2, { step: "done" });
  await checkSame(a, b, record);
  deepStrictEqual([...(await listLeases(b.store)).keys()], [overtaken]);
});

Deno.test("a session that prune overtakes while its record is written takes it back", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder);
  const written: string[] = [];
  let isDone = false;
  const store = withCreate(b.store, async (name, bytes) => {
    if (name.startsWith("snapshots/")) written.push(name);
    if (name.startsWith("snapshots/") && !isDone) {
      isDone = true;
      const saves = [...(await listLeases(b.store)).keys()];
      await append(b.store, 1, { step: "suspects", saves });
      const writer = name.slice(name.lastIndexOf("-") + 1);
      await createVoid(b.store, writer, 1, { saveId: new Uint8Array(16) });
    }
    return await b.store.create(name, bytes);
  });
  await push(a, serverOf({ store }, Verb.lease, () => Promise.resolve()));
  strictEqual(written.length, 2);
  deepStrictEqual(await namesIn(b.store, "snapshots/"), written.slice(1));
  await checkSame(a, b, record);
});

Deno.test("packs that are being removed are as absent at a server", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder);
  const nothing = (): Promise<void> => Promise.resolve();
  await push(a, serverOf(b, Verb.hello, nothing));
  const old = await namesIn(b.store, "packs/");
  const packs = old.map((name) => name.slice(name.lastIndexOf("/") + 1));
  for (const name of await namesIn(b.store, "snapshots/")) {
    await b.store.remove(name);
  }
  await append(b.store, 1, { step: "condemned", packs });
  await push(a, serverOf(b, Verb.hello, nothing));
  for (const name of old) await b.store.remove(name);
  await checkSame(a, b, record);
});

Deno.test("a directory whose pack is being removed is missing when a record is written", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  // Without large files, whose recipes lie beside directories.
  const path = folder.join("small");
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/file`, "small");
  const { record } = await save(a, path, LATER);
  const nothing = (): Promise<void> => Promise.resolve();
  await push(a, serverOf(b, Verb.hello, nothing));
  for (const name of await namesIn(b.store, "snapshots/")) {
    await b.store.remove(name);
  }
  const old: string[] = [];
  for (const name of await namesIn(b.store, "packs/")) {
    const bytes = await b.store.read(name);
    const role = new DataView(bytes.buffer, bytes.byteOffset)
      .getUint32(bytes.length - 16, true);
    if (role === PackRole.trees) old.push(name);
  }
  strictEqual(old.length, 1);
  const packs = old.map((name) => name.slice(name.lastIndexOf("/") + 1));
  await append(b.store, 1, { step: "condemned", packs });
  // It says that all is there, so that only the look at the end can find out.
  const handler = syncHandler(b.store, { hasher });
  let isFirst = true;
  const transport = memoryTransport(async (request) => {
    const { signal } = new AbortController();
    const answer = await handler(request, { right: "append", signal });
    const message = decodeMessage(answer, hasher);
    if (message.verb !== Verb.missing || !isFirst) return answer;
    isFirst = false;
    const sections = message.sections.map((section) => ({
      ...section,
      bytes: new Uint8Array(section.bytes.length),
    }));
    return encodeMessage({ ...message, sections }, hasher);
  });
  await push(a, transport);
  for (const name of old) await b.store.remove(name);
  await checkSame(a, b, record!);
});

Deno.test("each record of a session has a save id of its own", () => {
  const transport = memoryTransport(() => Promise.reject(new Error("No")));
  const connection = new RemoteConnection({
    ...{ transport, hasher, meter: newMeter() },
  });
  connection.session = SESSION;
  strictEqual(connection.newSaveId(), SESSION_ID);
  const ids = new Set([0, 1, 2].map(() => connection.newSaveId()));
  strictEqual(ids.size, 3);
  ok(!ids.has(SESSION_ID));
  connection.session = new Uint8Array(16).fill(6);
  strictEqual(connection.newSaveId(), OTHER);
});
