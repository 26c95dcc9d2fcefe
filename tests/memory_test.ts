import { ok } from "node:assert/strict";
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFileStore, TemporaryFolder } from "./_snapshots.ts";

/** Names in one directory, and what each may cost at the most: about 170 bytes where this was written. */
const COUNT = 200_000;
const BYTES_A_NAME = 350;

/** The most memory that a save takes in a process of its own, in bytes. */
function peakOf(store: string, source: string): number {
  const program = new URL("./_save_peak.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, store, source],
  }).outputSync();
  ok(code === 0, new TextDecoder().decode(stderr));
  return 1024 * Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name:
    "a save takes few bytes for each name in a directory, and so does the next",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new TemporaryFolder();
    const empty = folder.join("empty"), wide = folder.join("wide");
    mkdirSync(empty);
    mkdirSync(wide);
    writeFileSync(join(wide, "0"), "0");
    for (let i = 1; i < COUNT; i++) {
      linkSync(join(wide, "0"), join(wide, `${i}`));
    }
    const store = folder.join("store");
    await makeFileStore(store);
    const base = peakOf(store, empty);
    for (const which of ["first", "next"]) {
      const cost = Math.round((peakOf(store, wide) - base) / COUNT);
      ok(cost < BYTES_A_NAME, `${which} save: ${cost} bytes a name`);
    }
  },
});
