import { deepEqual, equal, rejects } from "node:assert/strict";
import type { StoreOptions } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import {
  appendStep,
  createVoid,
  LEASE_RENEWAL_MS,
  listLeases,
} from "@snap/store/removal";
import { FaultStore } from "@snap/store/testing";
import { OvertakenError } from "../errors.ts";
import { openWriterLease } from "./writer_lease.ts";

const saveId = new Uint8Array(16).fill(0xab);
const ID = "ab".repeat(16);
const run = { saveId, action: "save" };
const pruner = { saveId: new Uint8Array(16).fill(0xcd) };

/** A clock that a test sets: each wait ends when the test says so. */
class Clock {
  readonly waits: number[] = [];
  #wake: (() => void) | undefined;
  #asleep = Promise.withResolvers<void>();

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    this.waits.push(ms);
    this.#asleep.resolve();
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  };

  /** Lets the time pass, and what is done then; resolves when it is waited again. */
  async pass(): Promise<void> {
    await this.#asleep.promise;
    this.#asleep = Promise.withResolvers();
    this.#wake!();
  }

  /** Resolves when somebody waits. */
  async settled(): Promise<void> {
    await this.#asleep.promise;
  }
}

Deno.test("a lease is renewed every five minutes until its run is over", async () => {
  const store = new MemoryStore(), clock = new Clock();
  const lease = await openWriterLease(store, { ...run, sleep: clock.sleep });
  for (const number of [1, 2, 3]) {
    await clock.pass();
    await clock.settled();
    deepEqual((await listLeases(store)).get(ID), { number, isOver: false });
  }
  deepEqual(clock.waits, Array(4).fill(LEASE_RENEWAL_MS));
  await lease[Symbol.asyncDispose]();
  deepEqual(await listLeases(store), new Map());
});

Deno.test("a run that was suspected is told at its next renewal", async () => {
  const store = new MemoryStore(), clock = new Clock();
  await using lease = await openWriterLease(store, {
    ...{ ...run, sleep: clock.sleep },
  });
  await lease.round;
  const told = new Promise((resolve) =>
    lease.failure.addEventListener("abort", resolve)
  );
  await appendStep(store, 1, { step: "suspects", saves: [ID] }, pruner);
  await clock.pass();
  await told;
  equal(lease.failure.reason.name, "OvertakenError");
  await rejects(lease.confirm(), OvertakenError);
});

Deno.test("a run whose records are void does not confirm", async () => {
  const store = new MemoryStore();
  await using lease = await openWriterLease(store, run);
  await lease.confirm();
  await appendStep(store, 1, { step: "done" }, pruner);
  await lease.confirm();
  await createVoid(store, ID, 1, pruner);
  await rejects(lease.confirm(), OvertakenError);
});

Deno.test("a run does not confirm when one of its records is void and the round is over", async () => {
  const store = new MemoryStore();
  const saveIds = ["ef".repeat(16)];
  await using lease = await openWriterLease(store, { ...run, saveIds });
  await lease.round;
  // The record under its own save id was there when the others were suspected.
  await appendStep(store, 1, { step: "done" }, pruner);
  await createVoid(store, saveIds[0], 1, pruner);
  await rejects(lease.confirm(), OvertakenError);
});

/** Suspects a run as soon as its lease is there, before it can look at anything. */
class HastyStore extends MemoryStore {
  override async create(name: string, bytes: Uint8Array): Promise<boolean> {
    const isNew = await super.create(name, bytes);
    if (name === `leases/${ID}/0`) {
      await appendStep(this, 1, { step: "suspects", saves: [ID] }, pruner);
    }
    return isNew;
  }
}

Deno.test("a run does not confirm that was suspected before its first look", async () => {
  await using lease = await openWriterLease(new HastyStore(), run);
  await rejects(lease.confirm(), OvertakenError);
});

Deno.test("a renewal that fails is made up for by the next", async () => {
  const memory = new MemoryStore(), clock = new Clock();
  const store = new FaultStore(memory, {
    at: [{ call: 2, fault: "error" }],
    actions: ["create"],
  });
  await using lease = await openWriterLease(store, {
    ...{ ...run, sleep: clock.sleep },
  });
  await clock.pass();
  await clock.pass();
  await clock.settled();
  equal((await listLeases(memory)).get(ID)?.number, 2);
  equal(lease.failure.aborted, false);
});

/** A store that does not answer any more once it is asked to end a lease. */
class DeafStore extends MemoryStore {
  readonly asked = Promise.withResolvers<void>();

  override remove(_name: string, options?: StoreOptions): Promise<void> {
    this.asked.resolve();
    return new Promise((_, reject) =>
      options!.signal!.addEventListener(
        "abort",
        () => reject(options!.signal!.reason),
      )
    );
  }
}

Deno.test("an interrupted run does not wait for the end of its lease", async () => {
  const store = new DeafStore(), stop = new AbortController();
  const { signal } = stop;
  const lease = await openWriterLease(store, { ...run, signal });
  const ending = lease[Symbol.asyncDispose]();
  await store.asked.promise;
  stop.abort(new Error("enough"));
  await ending;
});
