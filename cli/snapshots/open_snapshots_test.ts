import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { parseLines } from "../_schema_check.ts";
import { Sandbox } from "../_testing.ts";

/** Damages the last page of the only index table, in which objects stand; gives its name. */
function damageIndex(store: string): string {
  const files = readdirSync(`${store}/index`, { recursive: true });
  const [name] = files.map(String).filter((one) => one.length > 60);
  const path = `${store}/index/${name}`;
  const bytes = readFileSync(path);
  bytes[bytes.length - 4096 + 8] ^= 1;
  writeFileSync(path, bytes);
  return name.slice(-64);
}

Deno.test("reading beside a damaged index page says so once; a save ends it", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.at("tree"));
  for (let i = 0; i < 9; i++) writeFileSync(sandbox.at("tree", `${i}`), `${i}`);
  const snap = (...args: string[]) =>
    sandbox.run(["--store", sandbox.at("store"), ...args]);
  await snap("init");
  await snap("save", "tree", "-t", "main", "--workers", "0");
  const name = damageIndex(sandbox.at("store"));
  for (
    const args of [
      ["ls", "main"],
      ["cat", "main:3"],
      ["diff", "main", "./tree"],
      ["restore", "main", "out", "--workers", "0"],
    ]
  ) {
    const { code, stderr } = await snap(...args);
    strictEqual(code, 0, stderr);
    match(
      stderr,
      /^snap: Cannot use index\/\S+, and go on with what the packs say: .*\nRead what 2 packs say as the index does not: snap repair index mends it, and so does the next save\n$/,
    );
    strictEqual(stderr.includes(name), true, stderr);
  }
  const { stderr } = await snap("ls", "main", "--json");
  strictEqual(parseLines(stderr).length, 2);
  strictEqual((await snap("verify")).code, 4);
  await snap("save", "tree", "--workers", "0");
  strictEqual((await snap("ls", "main")).stderr, "");
  strictEqual((await snap("verify")).code, 0);
});

Deno.test("save makes the user's store anew where one was ended while it did", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.at("tree"));
  const store = sandbox.at("home/.local/share/snap/store");
  for (const name of ["config", "packs/00", "snapshots", "tmp"]) {
    mkdirSync(`${store}/${name}`, { recursive: true });
  }
  const save = ["save", "tree", "--workers", "0"];
  strictEqual((await sandbox.run([...save, "--dry-run"])).code, 0);
  deepStrictEqual(readdirSync(`${store}/config`), []);
  strictEqual((await sandbox.run(save)).code, 0);
  deepStrictEqual(readdirSync(`${store}/config`), ["1"]);
  // One that has lost its config is not taken for a new one.
  rmSync(`${store}/config/1`);
  const { code, stderr } = await sandbox.run(save);
  strictEqual(code, 1);
  match(stderr, /as a store: it has no config\/1/);
});
