import { equal, ok } from "node:assert/strict";
import type { StoreReader } from "@snap/pack/read";
import { ContentChecks } from "./content_checks.ts";
import { Counters } from "../counters.ts";

/** Checks with a store that never answers. */
function hanging() {
  const asked = Promise.withResolvers<void>();
  let askedCount = 0;
  const openContent = () => {
    askedCount++;
    asked.resolve();
    return new Promise<never>(() => {});
  };
  const checks = new ContentChecks({
    reader: () => ({ openContent }) as unknown as StoreReader,
    counters: Counters.create(1),
    onLie: () => ok(false),
    onFault: () => ok(false),
  });
  return { checks, asked: asked.promise, askedCount: () => askedCount };
}

Deno.test("ContentChecks ends although its store never answers", async () => {
  const { checks, asked, askedCount } = hanging();
  for (let i = 0; i < 5000; i++) {
    checks.add({ id: new Uint8Array(32), size: 1 });
  }
  await asked;
  await checks.stop();
  equal(askedCount(), 1);
});
