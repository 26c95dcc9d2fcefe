// Mounts by Node, from the sources, with native calls through koffi.
import { match, strictEqual } from "node:assert/strict";
import { findNode, installPackages, nodeArguments } from "../../tests/_node.ts";
import {
  isMounted,
  MountScene,
  mountTest,
  waitFor,
} from "../../tests/_mount.ts";
import { noise } from "../../tests/_snapshots.ts";

const PROGRAM = new URL("../testdata/node_mount.ts", import.meta.url).pathname;

mountTest("Node mounts", async (t) => {
  await using scene = new MountScene();
  const packages = scene.folder.join("packages");
  const node = findNode();
  if (node === undefined || !installPackages(packages)) {
    return console.log("left out: Node 22 and koffi are needed");
  }
  await scene.bash(`mkdir "$SOURCE/a"; seq 9999 > "$SOURCE/a/b"`);
  Deno.writeFileSync(`${scene.source}/large`, noise(5 << 20, 1));
  const { tree } = await scene.save();
  const start = (where: string, end: string) =>
    new Deno.Command(node, {
      args: [
        ...nodeArguments(PROGRAM, packages),
        ...[scene.store, tree, scene.point, scene.source, where, end],
      ],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const run = async (where: string, end: string): Promise<string> => {
    const { code, stdout, stderr } = await start(where, end).output();
    const decoder = new TextDecoder();
    const said = decoder.decode(stdout) + decoder.decode(stderr);
    await waitFor("unmounting", () => !isMounted(scene.point));
    return `${said}${code}`;
  };
  await t.step("a local store", async () => {
    const said = await run("local", "unmount");
    strictEqual(said, "compared 0\nunmounted false\n0");
  });
  await t.step("a store that is not local", async () => {
    const said = await run("remote", "unmount");
    strictEqual(said, "compared 0\nunmounted true\n0");
  });
  await t.step("and exits", async () => {
    strictEqual(await run("local", "exit"), "compared 0\n7");
  });
  await t.step("and throws what nobody catches", async () => {
    match(await run("local", "throw"), /^compared 0\n[^]*on purpose[^]*1$/);
  });
  await t.step("and is ended by a signal", async () => {
    const child = start("local", "wait");
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGTERM");
    strictEqual((await child.status).signal, "SIGTERM");
    await reader.cancel();
    await child.stderr.cancel();
    await waitFor("unmounting", () => !isMounted(scene.point));
  });
});
