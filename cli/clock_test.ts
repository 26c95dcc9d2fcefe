import { equal, match, ok } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { Sandbox } from "./_testing.ts";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";

Deno.test("commands say that they pass over a record that is later than now, and log marks it", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.at("src"));
  writeFileSync(sandbox.at("src", "file"), "content");
  const env = { SNAP_STORE: sandbox.at("store") };
  equal((await sandbox.run(["init"], { env })).code, 0);
  const store = await openFileStore(env.SNAP_STORE);
  const snapshots = await openSnapshots(store, { hasher: wasmHasher });
  const ahead = await save(snapshots, sandbox.at("src"), {
    host: "box",
    now: () => Date.UTC(2135, 0, 1),
  });
  await snapshots[Symbol.asyncDispose]();
  const { record, time } = ahead.record;

  const only = await sandbox.run(["ls", "latest"], { env });
  equal(only.code, 0);
  match(only.stderr, /Took .* as there is no other: its time, 2135-01-01/);

  for (const isFirst of [true, false]) {
    const saved = await sandbox.run(["save", "src", "--tag", "main"], {
      env,
      isTerminal: true,
    });
    equal(saved.code, 0);
    ok(
      saved.stderr.includes(
        `Cannot use record ${record}, and go on without it: its time, ${time}, is later than now`,
      ),
      saved.stderr,
    );
    equal(/nothing new/.test(saved.stderr), !isFirst);
  }

  for (const args of [["ls", "latest"], ["cat", "latest:file"]]) {
    const { code, stderr } = await sandbox.run(args, { env });
    equal(code, 0);
    ok(
      stderr.includes(
        `Passed over record ${
          record.slice(0, 12)
        } as its time, ${time}, is later than now`,
      ),
      stderr,
    );
  }

  const log = await sandbox.run(["log"], { env, isTerminal: true });
  const marked = log.stdout.split("\n").filter((line) =>
    line.includes("later than now")
  );
  equal(marked.length, 1);
  ok(marked[0].includes(record.slice(0, 8)));
});
