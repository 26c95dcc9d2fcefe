import { ok } from "node:assert/strict";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeSync,
} from "node:fs";
import { save } from "@snap/save";
import { openFileStore } from "@snap/store/file";
import { makeFileStore, open, TemporaryFolder } from "./_snapshots.ts";

/** Entries of an archive, and what each may cost at the most: about 520 bytes where this was written. */
const COUNT = 200_000;
const BYTES_AN_ENTRY = 650;

/** What an export and an import may take together, however large files are. */
const SIZE_MAX = 400 * 1024 * 1024;
const GIBIBYTE = 2 ** 30;
/** The largest file, in gibibytes, and how many others of one there are. SNAP_GIBIBYTES=50 takes two minutes. */
const LARGE = Number(Deno.env.get("SNAP_GIBIBYTES") ?? 4);

/** The most memory that an import takes in a process of its own, in bytes. */
function peakOf(store: string, from: string): number {
  const program = new URL("./_archive_peak.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, store, from],
  }).outputSync();
  ok(code === 0, new TextDecoder().decode(stderr));
  return 1024 * Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name: "an import takes few bytes for each entry of an archive",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new TemporaryFolder();
    for (const name of ["base", "many"]) await makeFileStore(folder.join(name));
    const base = peakOf(folder.join("base"), "1");
    const many = peakOf(folder.join("many"), `${COUNT}`);
    const cost = Math.round((many - base) / COUNT);
    ok(cost < BYTES_AN_ENTRY, `${cost} bytes an entry`);
  },
});

Deno.test({
  name: "an export and an import of large files with holes have their bound",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    mkdirSync(source);
    for (let i = 0; i <= LARGE; i++) {
      const file = openSync(`${source}/${i}`, "w");
      const size = (i === 0 ? LARGE : 1) * GIBIBYTE;
      ftruncateSync(file, size);
      for (const at of [0, 0.3 * size, size - 8]) {
        writeSync(file, `data ${i}`, Math.floor(at));
      }
      closeSync(file);
    }
    for (const name of ["from", "to"]) await makeFileStore(folder.join(name));
    const snapshots = await open(await openFileStore(folder.join("from")));
    await save(snapshots, source);
    await snapshots[Symbol.asyncDispose]();
    const peak = peakOf(folder.join("to"), folder.join("from"));
    ok(peak < SIZE_MAX, `${peak} bytes`);
  },
});
