// Sessions that are over in the middle of a sync: a server that was ended and comes back.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import { type NamedRecord, tagSnapshot } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { LATER, makeTree } from "../tests/_saves.ts";
import {
  checkSame,
  makeMemorySnapshots,
  noise,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { sync } from "./engine/sync.ts";
import type { SyncError } from "./errors.ts";
import { type Env, systemEnv } from "./options.ts";
import { remotePeer } from "./peer/remote_peer.ts";
import { storePeer } from "./peer/store_peer.ts";
import {
  decodeMessage,
  encodeMessage,
  MessageType,
  Verb,
} from "./protocol/message.ts";
import { fieldsSection } from "./protocol/sections.ts";
import { syncHandler, type SyncHandlerOptions } from "./serve/sync_handler.ts";
import { memoryTransport } from "./testing/mod.ts";
import type { Transport } from "./transport.ts";

/** Does not wait. */
const env: Env = { ...systemEnv, sleep: () => Promise.resolve() };
/** Verbs that only go on in a session. */
const IN_SESSION: readonly number[] = [
  ...[Verb.put, Verb.seal, Verb.commit, Verb.tags],
];

/** A server that ends at some requests, and comes back without the session. */
class EndingServer {
  readonly #store: WriteStore;
  readonly #options: Partial<SyncHandlerOptions>;
  readonly #over = new Set<string>();
  #handler: ReturnType<typeof syncHandler>;
  requestCount = 0;
  /** Verbs that were refused as their session is over. */
  readonly refused: number[] = [];

  constructor(store: WriteStore, options: Partial<SyncHandlerOptions> = {}) {
    this.#store = store;
    this.#options = options;
    this.#handler = this.#begin();
  }

  /** Brings requests to it. */
  transport(isEnd: (verb: Verb) => boolean): Transport {
    return memoryTransport(async (request) => {
      this.requestCount++;
      const message = decodeMessage(request, hasher);
      const session = message.session.toHex();
      const isReading = message.verb === Verb.tags &&
        message.sections.length === 1;
      const isBound = IN_SESSION.includes(message.verb) && !isReading;
      if ((isBound || message.verb === Verb.get) && isEnd(message.verb)) {
        this.#over.add(session);
        this.#handler = this.#begin();
      }
      if (isBound && this.#over.has(session)) {
        this.refused.push(message.verb);
        const code = "SESSION", text = "The session is over";
        const sections = [fieldsSection({ code, message: text })];
        const { error: type } = MessageType;
        return encodeMessage({ ...message, type, sections }, hasher);
      }
      const { signal } = new AbortController();
      return await this.#handler(request, { right: "append", signal });
    });
  }

  /** One that knows nothing of what the one before it has marked as its own. */
  #begin(): ReturnType<typeof syncHandler> {
    return syncHandler(this.#store, { hasher, ...this.#options });
  }
}

async function saveTwo(a: Snapshots<WriteStore>): Promise<NamedRecord[]> {
  using folder = new TemporaryFolder();
  const path = folder.join("tree");
  makeTree(path);
  Deno.writeFileSync(`${path}/large`, noise(3_000_000, 5));
  const first = await save(a, path, LATER);
  Deno.writeFileSync(`${path}/large`, noise(2_500_000, 6));
  const second = await save(a, path, LATER);
  await tagSnapshot(a, "main", second.record!);
  return [first.record!, second.record!];
}

/** Tells when a verb comes for the nth time, and whether it did. */
class Nth {
  hasCome = false;
  readonly #verb: Verb;
  #left: number;

  constructor(verb: Verb, nth: number) {
    this.#verb = verb;
    this.#left = nth;
  }

  readonly isNow = (verb: Verb): boolean => {
    if (verb !== this.#verb || --this.#left !== 0) return false;
    return this.hasCome = true;
  };
}

for (const [name, verb] of Object.entries(Verb)) {
  if (!IN_SESSION.includes(verb)) continue;
  Deno.test(`a push whose session is over at any ${name} goes on in a new one`, async () => {
    await using a = await makeMemorySnapshots();
    const records = await saveTwo(a);
    const from = storePeer(a.store, { hasher });
    let number = 0, hasCome = true;
    while (hasCome) {
      await using b = await makeMemorySnapshots();
      const server = new EndingServer(b.store);
      const nth = new Nth(verb, ++number);
      const to = remotePeer(server.transport(nth.isNow), { hasher });
      const report = await sync(from, to, { env, pull: false });
      const { recordsCopied, tagEntries, errors } = report;
      deepStrictEqual([recordsCopied, tagEntries, errors], [2, 1, []]);
      await checkSame(a, b, ...records);
      hasCome = nth.hasCome;
      strictEqual(server.refused.includes(verb), hasCome);
    }
    ok(number > 1);
  });
}

Deno.test("a server that comes back without its marks is asked from the beginning", async () => {
  await using a = await makeMemorySnapshots();
  const records = await saveTwo(a);
  let number = 0, hasCome = true;
  while (hasCome) {
    await using b = await makeMemorySnapshots();
    // It says after each directory where to go on.
    const there = new EndingServer(a.store, { workMs: 0 });
    const nth = new Nth(Verb.get, ++number);
    const from = remotePeer(there.transport(nth.isNow), { hasher });
    const pulled = await sync(from, storePeer(b.store, { hasher }), { env });
    deepStrictEqual([pulled.recordsCopied, pulled.errors], [2, []]);
    await checkSame(a, b, ...records);
    hasCome = nth.hasCome;
  }
  ok(number > 3);
});

Deno.test("a server that ends each session is left", async () => {
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveTwo(a);
  const server = new EndingServer(b.store);
  await rejects(
    sync(
      storePeer(a.store, { hasher }),
      remotePeer(server.transport(() => true), { hasher }),
      { env, pull: false },
    ),
    (error: SyncError) => error.code === "SESSION",
  );
  ok(server.requestCount < 200);
  strictEqual((await b.records()).length, 0);
});
