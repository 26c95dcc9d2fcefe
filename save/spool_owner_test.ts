import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  leftovers,
  makeSnapshots,
  noise,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { LATER } from "../tests/_saves.ts";
import { save } from "./save.ts";
import { removeAbandoned, SpoolOwner } from "@snap/store/owner";

const DEAD = "d".repeat(32);
const LIVE = "1".repeat(32);
const OTHER = "0".repeat(32);

/** Whether tests lie on a disk of which it is known who has files open. */
function hasOwnDisk(): boolean {
  using folder = new TemporaryFolder();
  return folder.path.startsWith("/dev/shm/");
}

const ignore = !hasOwnDisk();

Deno.test(
  "removeAbandoned removes files of saves that are over, and no others",
  {
    ignore,
  },
  () => {
    using folder = new TemporaryFolder();
    const kept = ["reserve", `${OTHER}-a`, `${LIVE}-a-0`];
    const gone = ["a-0", "a-alive", "b-join1-0"].map((end) => `${DEAD}-${end}`);
    for (const name of [...kept, ...gone]) {
      writeFileSync(folder.join(name), name);
    }
    // Not files, whatever they are called.
    symlinkSync("nowhere", folder.join(`${OTHER}-c-alive`));
    mkdirSync(folder.join(`${OTHER}-d-alive`));
    {
      using _owner = new SpoolOwner(folder.join(`${LIVE}-a`));
      removeAbandoned(folder.join(`${LIVE}-a`));
      removeAbandoned(folder.join(`${OTHER}-e`));
      deepEqual(
        readdirSync(folder.path).sort(),
        [
          ...kept,
          `${LIVE}-a-alive`,
          `${OTHER}-c-alive`,
          `${OTHER}-d-alive`,
        ].sort(),
      );
    }
    equal(readdirSync(folder.path).includes(`${LIVE}-a-alive`), false);
  },
);

Deno.test("SpoolOwner and removeAbandoned do without a folder", () => {
  using folder = new TemporaryFolder();
  const path = folder.join("no", "such");
  new SpoolOwner(path)[Symbol.dispose]();
  removeAbandoned(path);
});

Deno.test("what a killed save has left is removed by the next", {
  ignore,
}, async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  writeFileSync(join(source, "large"), noise(30_000_000, 1));
  const path = folder.join("store");
  await using snapshots = await makeSnapshots(path);
  const { store } = snapshots;
  const child = spawn(Deno.execPath(), [
    "run",
    "-A",
    new URL("./testdata/save_and_hang.ts", import.meta.url).pathname,
    path,
    source,
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve) => child.stdout!.once("data", resolve));
  const during = leftovers(store);
  // It is alive: a save beside it leaves its files alone.
  writeFileSync(join(source, "small"), "small");
  await save(snapshots, join(source), { ...LATER, host: "other" });
  const beside = leftovers(store);
  ok(during.every((name) => beside.includes(name)), `${during}, ${beside}`);
  child.kill("SIGKILL");
  await exited;
  ok(during.some((name) => name.endsWith("-alive")));
  ok(during.length >= 2, `${during}`);
  await save(snapshots, source, LATER);
  deepEqual(leftovers(store), []);
  equal(readFileSync(join(source, "small"), "utf8"), "small");
});
