import { doesNotMatch, match, strictEqual } from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { posix } from "@snap/posix";
import { AT_FDCWD, S_IFCHR } from "@snap/posix/constants";
import { parseLines } from "./_schema_check.ts";
import { type Outcome, Sandbox } from "./_testing.ts";

const isRoot = posix?.geteuid() === 0;
const TEXT = new TextEncoder();
/** `cap_net_bind_service`, permitted and effective, as the kernel keeps it in version 2. */
const CAPABILITY = Uint8Array.of(1, 0, 0, 2, 0, 4, ...new Uint8Array(14));

/** A saved tree, and restores of it. */
class Scene extends Sandbox {
  constructor() {
    super();
    mkdirSync(this.at("tree"));
    writeFileSync(this.at("tree", "plain"), "plain\n");
  }

  async snap(...args: string[]): Promise<Outcome> {
    const all = ["--store", this.at("store"), ...args];
    const outcome = await this.run(all);
    strictEqual(outcome.code, 0, outcome.stderr);
    return outcome;
  }

  /** Saves the tree, and returns how it is named. */
  async saved(): Promise<{ id: string; record: string }> {
    await this.snap("init");
    await this.snap("save", "tree", "-t", "main", "--workers", "0");
    const [line] = parseLines((await this.snap("log", "--json")).stdout);
    return { id: String(line.id), record: String(line.record) };
  }

  async restore(name: string, ...args: string[]): Promise<Outcome> {
    const place = this.at("out", crypto.randomUUID());
    mkdirSync(this.at("out"), { recursive: true });
    return await this.snap("restore", name, place, "--workers", "0", ...args);
  }
}

Deno.test({
  name: isRoot
    ? "restore: root hears once what gives rights and is not in the id"
    : "skipped, not root: restore tells what gives rights and is not in the id",
  ignore: !isRoot,
  async fn() {
    using scene = new Scene();
    for (const name of ["set-uid", "set-gid", "able"]) {
      writeFileSync(scene.at("tree", name), name);
    }
    chmodSync(scene.at("tree", "set-uid"), 0o4755);
    chmodSync(scene.at("tree", "set-gid"), 0o2755);
    const path = (name: string) => TEXT.encode(`${scene.at("tree", name)}\0`);
    const attribute = TEXT.encode("security.capability\0");
    strictEqual(posix!.lsetxattr(path("able"), attribute, CAPABILITY), 0);
    strictEqual(
      posix!.mknodAt(AT_FDCWD, path("device"), S_IFCHR | 0o600, 1, 3),
      0,
    );
    const { id, record } = await scene.saved();
    const words =
      `4 entries with set-id bits, capabilities or a device, as the newest record says: the id alone does not cover them, ${id}@${record} does\n`;
    for (const name of [id, id.slice(0, 8), `${id}:`]) {
      const { stderr } = await scene.restore(name);
      strictEqual(stderr, `snap: Restored ${words}`);
    }
    const dry = await scene.restore(id, "--dry-run");
    // A summary comes last.
    strictEqual(
      dry.stderr.replace(/Would restore 4 files, .*\n$/, ""),
      `snap: Would restore ${words}`,
    );
    for (const name of [`${id}@${record}`, "main", "latest"]) {
      const { stderr } = await scene.restore(name);
      strictEqual(stderr.replace(/^latest is .*\n/, ""), "");
    }
    const json = await scene.restore(id, "--json");
    strictEqual(parseLines(json.stdout)[0].privilegedCount, 4);
    const warnings = parseLines(json.stderr)
      .filter(({ code }) => code === "UNPINNED");
    strictEqual(warnings.length, 1);
    const bare = await scene.restore(id, "--no-owner", "--no-xattrs");
    match(bare.stderr, /^snap: Restored 1 entry with .*\n$/);
  },
});

Deno.test("restore: nothing is said of a tree that gives no rights", async () => {
  using scene = new Scene();
  chmodSync(scene.at("tree"), 0o2755);
  const { id } = await scene.saved();
  strictEqual((await scene.restore(id)).stderr, "");
  const { stdout, stderr } = await scene.restore(id, "--json");
  strictEqual(parseLines(stdout)[0].privilegedCount, 0);
  doesNotMatch(stderr, /UNPINNED/);
});
