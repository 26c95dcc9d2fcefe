import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { parseRules } from "@snap/maintenance/forget";
import { listRecords } from "@snap/snapshot/records";
import { Workspace } from "@snap/workspace";
import { makeMemorySnapshots } from "../tests/_snapshots.ts";
import { type Outcome, Sandbox } from "./_testing.ts";
import type { SignalHandler } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import { forgetOld } from "./watching/forget_old.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Runs the command in a sandbox; each step follows a line of the result. */
async function watch(
  sandbox: Sandbox,
  args: readonly string[],
  steps: readonly ((signal: () => void) => void)[],
): Promise<Outcome> {
  let taken: SignalHandler | undefined;
  const left = [...steps];
  const outcome = await sandbox.run(["watch", "tree", ...args], {
    env: { SNAP_STORE: sandbox.at("store") },
    onStdout: () =>
      left.shift()?.(() => taken?.("SIGINT", ExitCode.interrupted)),
    takeSignals: (handler) => {
      taken = handler;
      return () => void (taken = undefined);
    },
  });
  equal(left.length, 0, outcome.stderr);
  equal(taken, undefined);
  return outcome;
}

async function makeSandbox(): Promise<Sandbox> {
  const sandbox = new Sandbox();
  mkdirSync(sandbox.at("tree", "deep"), { recursive: true });
  writeFileSync(sandbox.at("tree", "deep", "file"), "first");
  equal((await sandbox.run(["init", "store"])).code, 0);
  return sandbox;
}

Deno.test("watch: an id for each snapshot; the first signal has it save once more", async () => {
  using sandbox = await makeSandbox();
  const path = sandbox.at("tree", "deep", "file");
  const { code, stdout, stderr } = await watch(
    sandbox,
    ["--quiet-for", "1s", "--tag", "live", "--keep-last", "2"],
    [
      () => writeFileSync(path, "second"),
      (signal) => {
        writeFileSync(path, "third");
        signal();
      },
      () => {},
    ],
  );
  equal(code, 0, stderr);
  equal(stderr, "");
  const ids = stdout.trim().split("\n");
  equal(ids.length, 3);
  equal(new Set(ids).size, 3);
  const env = { SNAP_STORE: sandbox.at("store") };
  const log = await sandbox.run(["log", "--json"], { env });
  const kept = log.stdout.trim().split("\n").map((line) => JSON.parse(line).id);
  deepEqual(kept, ids.slice(1).reverse());
  const content = await sandbox.run(["cat", "live:deep/file"], { env });
  equal(content.stdout, "third");
});

Deno.test("watch: programs read a line of JSON for each snapshot", async () => {
  using sandbox = await makeSandbox();
  const { code, stdout } = await watch(sandbox, ["--json"], [
    (signal) => signal(),
  ]);
  equal(code, 0);
  const { type, isNewRecord } = JSON.parse(stdout);
  deepEqual([type, isNewRecord], ["saved", true]);
});

Deno.test("watch: a directory that is moved away ends it with an error", async () => {
  using sandbox = await makeSandbox();
  const { code, stderr } = await watch(sandbox, ["--quiet-for", "1s"], [
    () => renameSync(sandbox.at("tree"), sandbox.at("away")),
  ]);
  ok(code !== 0);
  match(stderr, /Cannot open directory .*tree: /);
});

Deno.test("watch: another directory under the path is not saved as a later state of the first", async () => {
  using sandbox = await makeSandbox();
  const { code, stdout, stderr } = await watch(
    sandbox,
    ["--quiet-for", "1s", "--keep-last", "1"],
    [() => {
      renameSync(sandbox.at("tree"), sandbox.at("away"));
      mkdirSync(sandbox.at("tree"));
    }],
  );
  equal(code, ExitCode.failed);
  equal(stdout.trim().split("\n").length, 1);
  match(stderr, /Cannot go on watching .*tree: another directory is there/);
});

Deno.test("watch: times and rules that cannot be are refused before anything is saved", async () => {
  using sandbox = await makeSandbox();
  for (const args of [["--quiet-for", "soon"], ["--max-wait", "0s"]]) {
    const { code, stderr, stdout } = await watch(sandbox, args, []);
    equal(code, ExitCode.usage);
    match(stderr, /it is no time/);
    equal(stdout, "");
  }
  const { code } = await watch(sandbox, ["--keep-last", "x"], []);
  equal(code, ExitCode.usage);
});

Deno.test("a day of watching leaves what the rules say", async () => {
  using sandbox = await makeSandbox();
  const start = Date.UTC(2026, 4, 4);
  let ms = start;
  const now = () => ms;
  await using snapshots = await makeMemorySnapshots();
  await using workspace = new Workspace(snapshots, sandbox.at("tree"), {
    now,
    clock: now,
    host: "box",
  });
  const rules = parseRules({ "keep-last": "3", "keep-hourly": "5" });
  const times: number[] = [];
  for (let i = 0; ms < start + DAY_MS; i++, ms += 20 * MINUTE_MS) {
    writeFileSync(sandbox.at("tree", "deep", "file"), `${i}`);
    const { record } = await workspace.save();
    times.push(ms);
    await forgetOld(snapshots, rules, { like: record, now });
  }
  // The last of each of five hours, the last three of all, and the oldest while periods are missing.
  const hours = new Map(
    times.map((time) => [Math.floor(time / (60 * MINUTE_MS)), time]),
  );
  const expected = new Set([
    ...[...hours.values()].slice(-5),
    ...times.slice(-3),
  ]);
  const records = await listRecords(snapshots.store, snapshots);
  deepEqual(
    records.map(({ time }) => Date.parse(time)).sort((a, b) => a - b),
    [...expected].sort((a, b) => a - b),
  );
});
