// push, pull, sync and clone: by folders, and by a server.
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { openFileStore } from "@snap/store/file";
import { nodeListener, serveStore } from "@snap/store/serve";
import { syncHandler } from "@snap/sync/serve";
import { noise } from "../tests/_snapshots.ts";
import { parseLines } from "./_schema_check.ts";
import { Scene } from "./_test_scene.ts";

Deno.test("push copies what is missing, and nothing the second time", async () => {
  using scene = new Scene();
  const id = await scene.saved();
  await scene.run(["init", "--store", "other"]);
  const dry = await scene.ok("push", "./other", "--dry-run");
  match(dry, /^Would copy 1 snapshot with .*, 1 entry of tags\n$/);
  match(await scene.ok("push", "./other"), /^Copied 1 snapshot /);
  strictEqual(await scene.ok("push", "./other"), "Nothing to copy\n");
  const listed = await scene.run(["tag", "--store", "other"]);
  match(listed.stdout, new RegExp(id));
  const verified = await scene.run(["verify", "--store", "other", "--data"]);
  strictEqual(verified.code, 0);
});

Deno.test("push by name copies that snapshot alone, and says it in JSON", async () => {
  using scene = new Scene();
  await scene.saved();
  writeFileSync(scene.at("tree", "new"), "new\n");
  await scene.ok("save", "tree", "-t", "second", "--workers", "0");
  await scene.run(["init", "--store", "other"]);
  const { stdout } = await scene.snap(["push", "./other", "main", "--json"]);
  const [line] = parseLines(stdout);
  deepStrictEqual(
    [line.type, line.recordsCopied, line.tagEntries, line.errorCount],
    ["synced", 1, 1, 0],
  );
  const tags = await scene.run(["tag", "--store", "other"]);
  match(tags.stdout, /^main\t/);
});

Deno.test("push --tags copies what tags name at present, --all everything", async () => {
  using scene = new Scene();
  await scene.saved();
  for (const [text, tags] of [["1", ["-t", "main"]], ["2", []]] as const) {
    writeFileSync(scene.at("tree", "new"), text);
    await scene.ok("save", "tree", ...tags, "--workers", "0");
  }
  await scene.run(["init", "--store", "other"]);
  const tagged = await scene.ok("push", "./other", "--tags");
  match(tagged, /^Copied 1 snapshot with .*, 2 entries of tags\n$/);
  const named = await scene.run(["tag", "--store", "other"]);
  match(named.stdout, /^main\t/);
  match(await scene.ok("push", "./other", "--all"), /^Copied 2 snapshots /);
  for (
    const more of [["--all", "main"], ["--tags", "main"], [
      ...["--all", "--tags"],
    ]]
  ) {
    const { code, stderr } = await scene.snap(["push", "./other", ...more]);
    strictEqual(code, 2);
    match(stderr, /^snap: Cannot use --/);
  }
});

Deno.test("pull, sync and clone bring what the other store has", async () => {
  using scene = new Scene();
  await scene.saved();
  const cloned = await scene.run(["clone", "./store", "copy"]);
  match(cloned.stdout, /^Copied 1 snapshot /);
  writeFileSync(scene.at("tree", "new"), "new\n");
  await scene.ok("save", "tree", "--workers", "0");
  const pulled = await scene.run(["pull", "./store", "--store", "copy"]);
  match(pulled.stdout, /^Copied 1 snapshot /);
  const synced = await scene.run(["sync", "./store", "./copy"]);
  strictEqual(synced.stdout, "Nothing to copy\n");
  const same = await scene.run(["sync", "./store", "./store"]);
  strictEqual(same.code, 1);
  match(same.stderr, /both are one store/);
  const wrong = await scene.snap(["push", "./copy", "--mirror", "all"]);
  strictEqual(wrong.code, 2);
});

Deno.test("clone and push speak with a server by messages", async () => {
  using scene = new Scene();
  await scene.saved();
  writeFileSync(scene.at("tree", "large"), noise(6_000_000, 1));
  await scene.ok("save", "tree", "--workers", "0");
  const store = await openFileStore(scene.at("store"));
  const verbs: string[] = [];
  const handler = serveStore(store, {
    access: { loopback: "append" },
    exchange: syncHandler(store, { hasher }),
    onAccess: ({ verb }) => void verbs.push(`${verb}`),
  });
  const server = createServer(nodeListener(handler)).listen(0, "127.0.0.1");
  await once(server, "listening");
  using _ = { [Symbol.dispose]: () => void server.close() };
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const proofs = scene.at("home/.cache/snap/stores/proofs");
  const plain = await scene.run(["clone", url, "plain", "--no-cache"]);
  match(plain.stdout, /^Copied 2 snapshots /);
  strictEqual(existsSync(proofs), false);
  const cloned = await scene.run(["clone", url, "copy"]);
  match(cloned.stdout, /^Copied 2 snapshots /);
  // What was proved of large content need not be proved in the next run.
  strictEqual(existsSync(proofs), true);
  strictEqual(verbs.includes("exchange"), true);
  strictEqual(verbs.includes("list"), false);
  writeFileSync(scene.at("tree", "new"), "new\n");
  await scene.run(["save", "tree", "--store", "copy", "--workers", "0"]);
  const pushed = await scene.run(["push", url, "--store", "copy"]);
  match(pushed.stdout, /^Copied 1 snapshot /);
  // Who may only add may remove nothing.
  await scene.run(["init", "--store", "empty"]);
  const exact = ["push", url, "--mirror", "exact", "--store", "empty"];
  const dry = await scene.run([...exact, "--dry-run"]);
  match(dry.stdout, /would remove 3/);
  const refused = await scene.run(exact);
  strictEqual(refused.code, 1);
  match(
    refused.stderr,
    /^snap: Cannot do this without the right to prune \(says http.*\)\n {2}hint: Ask for a token that allows more\n$/,
  );
  const verified = await scene.run(["verify", "--data", "--store", "store"]);
  strictEqual(verified.code, 0);
});

Deno.test("a snapshot that its store has lost in part is named, and not copied", async () => {
  using scene = new Scene();
  await scene.saved();
  await scene.run(["init", "--store", "other"]);
  rmSync(scene.at("store", "packs"), { recursive: true });
  const { code, stderr, stdout } = await scene.snap(["push", "./other"]);
  strictEqual(code, 3);
  match(stderr, /Cannot copy snapshot [0-9a-f]{64}: /);
  // No tag names what is not there.
  strictEqual(stdout, "Nothing to copy\n");
});

Deno.test("sync and clone take both stores as arguments, and no --store", async () => {
  using scene = new Scene();
  await scene.saved();
  for (const command of ["sync", "clone"]) {
    const said = await scene.snap([command, "./store", "copy"]);
    strictEqual(said.code, 2);
    match(said.stderr, /it names both stores/);
  }
});
