// Two stores whose clocks differ, and a copier that is cut off: the tag names one record in the end.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { MemoryStore } from "../memory/memory_store.ts";
import { Prng } from "../../tests/_prng.ts";
import type { TagEntry, TagSlot } from "./tag_log.ts";
import { TagStore } from "./tag_store.ts";

const RUNS = 200;
const SKEW_MAX_MS = 100_000;
const STEPS = 60;

/** One store, and whose clock is used there. */
interface Side {
  readonly tags: TagStore;
  readonly skewMs: number;
}

async function slotsOf(tags: TagStore): Promise<TagSlot[]> {
  const slots = (await Array.fromAsync(tags.entries("main"))).flat();
  return slots.map((slot) => {
    ok(slot.damage === undefined);
    return slot;
  });
}

async function headOf(tags: TagStore): Promise<TagSlot | undefined> {
  const slot = await tags.newest("main");
  if (slot?.damage !== undefined) throw slot.damage;
  return slot;
}

/** Copies the log, or a part of it in any order, as a copier that is cut off does. */
async function copy(
  from: TagStore,
  to: TagStore,
  prng?: Prng,
): Promise<void> {
  const entries: TagEntry[] = (await slotsOf(from)).map(({ entry }) => entry);
  if (prng === undefined) return void await to.copy("main", entries);
  const sorted = entries.map((entry) => ({ entry, at: prng.below(1000) }))
    .sort((a, b) => a.at - b.at).map(({ entry }) => entry);
  await to.copy("main", sorted.slice(0, prng.below(sorted.length + 1)));
}

Deno.test("logs of two stores with different clocks end with one head", async () => {
  let counter = 0;
  let differing = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const prng = new Prng(seed);
    const sides = [0, 1].map((): Side => ({
      tags: new TagStore(new MemoryStore()),
      skewMs: prng.below(2 * SKEW_MAX_MS) - SKEW_MAX_MS,
    }));
    let nowMs = Date.UTC(2026, 10, 20);
    for (let step = 0; step < STEPS; step++) {
      nowMs += prng.below(10_000);
      const from = prng.below(2);
      const { tags, skewMs } = sides[from];
      if (prng.below(4) === 0) {
        await copy(tags, sides[1 - from].tags, prng);
        continue;
      }
      const iso = new Date(nowMs + skewMs).toISOString();
      const record = `${++counter}`.padStart(64, "0");
      const time = iso.replace("Z", "000000Z");
      await tags.append("main", { time, tree: record, record });
      // Each save is what the tag names, at once.
      strictEqual((await headOf(tags))?.head.record, record, `seed ${seed}`);
    }
    const [a, b] = sides.map(({ tags }) => tags);
    await copy(a, b);
    await copy(b, a);
    const [one, other] = [(await headOf(a))!, (await headOf(b))!];
    deepStrictEqual(one.head, other.head, `seed ${seed}`);
    deepStrictEqual([one.count, one.sum], [other.count, other.sum]);
    deepStrictEqual(
      (await slotsOf(a)).map(({ entry }) => entry),
      (await slotsOf(b)).map(({ entry }) => entry),
    );
    if (one.entry.nonce !== other.entry.nonce) differing++;
  }
  // The last slots alone would not have told.
  ok(differing > RUNS / 10, `${differing}`);
});
