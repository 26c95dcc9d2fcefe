import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { isMounted, MountScene, mountTest, waitFor } from "../tests/_mount.ts";
import { parseLines } from "./_schema_check.ts";

/** A scene with a small snapshot that the tag `main` names. */
async function savedScene(): Promise<MountScene & { id: string }> {
  const scene = new MountScene();
  Deno.mkdirSync(`${scene.source}/sub`);
  Deno.writeTextFileSync(`${scene.source}/a`, "alpha\n");
  Deno.writeTextFileSync(`${scene.source}/sub/b`, "beta\n");
  await scene.init();
  return Object.assign(scene, { id: await saveAgain(scene) });
}

async function saveAgain(scene: MountScene): Promise<string> {
  const args = ["save", scene.source, "--tag", "main", "--store", scene.store];
  const { stdout, stderr } = await scene.snap(...args);
  strictEqual(stderr, "");
  return stdout.trim();
}

/** Runs a command in the store of the scene. */
function snap(scene: MountScene, ...args: string[]) {
  const isElsewhere = args.includes("--store");
  return scene.snap(...isElsewhere ? [] : ["--store", scene.store], ...args);
}

function isRunning(pid: number): boolean {
  try {
    // A process that nobody has waited for is there still, but runs no more.
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

mountTest(
  "mount: returns when it answers, and keeps nothing of its caller",
  async () => {
    await using scene = await savedScene();
    const { point, id } = scene;
    const { code, stdout, stderr } = await snap(
      scene,
      "mount",
      "main",
      point,
      "--json",
    );
    deepStrictEqual([code, stderr], [0, ""]);
    const [line] = parseLines(stdout);
    const { pid, record: _, ...fields } = line;
    deepStrictEqual(fields, {
      v: 1,
      type: "mount",
      mountpoint: point,
      source: `snap:${id.slice(0, 12)}`,
      id,
    });
    strictEqual(await scene.bash(`cat "$MOUNT/sub/b"`), "beta\n");
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const [, , , session, terminal] = stat.slice(stat.lastIndexOf(")") + 2)
      .split(" ");
    deepStrictEqual([session, terminal], [String(pid), "0"]);
    strictEqual(Deno.readLinkSync(`/proc/${pid}/cwd`), "/");
    strictEqual(Deno.readLinkSync(`/proc/${pid}/fd/0`), "/dev/null");
    const ended = await snap(scene, "umount", point);
    deepStrictEqual(ended, { code: 0, stdout: "", stderr: "" });
    strictEqual(isMounted(point), false);
    await waitFor("the end of the server", () => !isRunning(Number(pid)));
  },
);

mountTest(
  "mount: a folder of a snapshot, with text for its result",
  async () => {
    await using scene = await savedScene();
    const { stdout } = await snap(
      scene,
      "mount",
      "main:/sub/",
      scene.point,
      "-b",
    );
    strictEqual(stdout, `${scene.point}\n`);
    strictEqual(await scene.bash(`ls "$MOUNT"`), "b\n");
  },
);

mountTest(
  "mount: failures of the server are those of the command",
  async () => {
    await using scene = await savedScene();
    const { point } = scene;
    Deno.writeTextFileSync(scene.folder.join("file"), "");
    const cases: [string[], number, RegExp][] = [
      [
        ["main", `${point}-absent`],
        1,
        /: no such directory\n.*mkdir/,
      ],
      [
        ["main", scene.folder.join("file")],
        1,
        /: not a directory/,
      ],
      [["nothing", point], 1, /Cannot find snapshot nothing/],
      [["main:a", point], 1, /"main:a": it is no directory/],
      [["main:absent", point], 1, /Cannot find "absent"/],
      [["main"], 2, /DIR is missing/],
      [["--all", "main", point], 2, /it takes DIR, and/],
      [
        ["main", point, "--cache", "1"],
        2,
        /--cache "1": it takes a size from 1m to 4g/,
      ],
      [
        ["main", point, "--workers", "0"],
        2,
        /--workers 0: a mount needs 1 to 64/,
      ],
      [["main", point, "-f", "-b"], 2, /at once/],
      [["main", point, "-f", "--log", "x"], 2, /errors go to stderr/],
      [
        ["main", point, "--store", "/nowhere"],
        1,
        /Cannot open \/nowhere as a/,
      ],
      [
        ["main", point, "--log", "/nowhere/x"],
        1,
        /Cannot open log \/nowhere\/x/,
      ],
    ];
    for (const [args, code, expected] of cases) {
      const said = await snap(scene, "mount", ...args);
      deepStrictEqual([said.code, said.stdout], [code, ""], args.join(" "));
      match(said.stderr, expected);
      match(said.stderr, /^snap: Cannot [^\n]+\n( {2}hint: [^\n]+\n)?$/);
    }
    strictEqual((await snap(scene, "mount", "main", point)).code, 0);
    const again = await snap(scene, "mount", "main", point);
    strictEqual(again.code, 1);
    match(again.stderr, /: snap:[0-9a-f]+ \(fuse\.snap\) is mounted there/);
    const json = await snap(scene, "mount", "nothing", point, "--json");
    strictEqual(parseLines(json.stderr)[0].name, "SnapshotNotFoundError");
  },
);

mountTest("mount: the log of the background", async () => {
  await using scene = await savedScene();
  const log = scene.folder.join("log");
  Deno.writeTextFileSync(`${scene.point}/hidden`, "");
  const args = ["mount", "main", scene.point, "--log", log, "--stats"];
  const { code, stderr } = await snap(scene, ...args);
  strictEqual(code, 0);
  match(stderr, /^snap: .* is not empty: what is in it is hidden\n$/);
  strictEqual(await scene.bash(`cat "$MOUNT/a"`), "alpha\n");
  await snap(scene, "umount", scene.point);
  const text = () => Deno.readTextFileSync(log);
  await waitFor("the statistics", () => /^requests READ /m.test(text()));
  match(text(), /^snap: \d{4}-\S+Z .* is not empty: what is in it is hidden$/m);
  match(text(), /^bytes read {14}6 B$/m);
  strictEqual(Deno.statSync(log).mode! & 0o777, 0o600);
});

mountTest("mount: statistics when asked, and at the end", async () => {
  await using scene = await savedScene();
  const log = scene.folder.join("log");
  const args = ["mount", "main", scene.point, "--log", log, "--stats"];
  const [{ pid }] = parseLines((await snap(scene, ...args, "--json")).stdout);
  await scene.bash(`cat "$MOUNT/a"`);
  const lines = () => parseLines(Deno.readTextFileSync(log));
  Deno.kill(Number(pid), "SIGUSR2");
  await waitFor("the statistics", () => lines().length === 1);
  await scene.bash(`cat "$MOUNT/sub/b"`);
  Deno.kill(Number(pid), "SIGTERM");
  await waitFor("the statistics at the end", () => lines().length === 2);
  deepStrictEqual(lines().map(({ type, byteCount }) => [type, byteCount]), [
    ["mountStatistics", 6],
    ["mountStatistics", 11],
  ]);
});

mountTest("mount --all: a save appears, by id and by tag", async () => {
  await using scene = await savedScene();
  const { id, point } = scene;
  strictEqual((await snap(scene, "mount", "--all", point)).code, 0);
  strictEqual(
    await scene.bash(`ls "$MOUNT" "$MOUNT/ids"`).then(String),
    `${point}:\nids\ntags\n\n${point}/ids:\n${id}\n`,
  );
  strictEqual(await scene.bash(`cat "$MOUNT/tags/main/latest/a"`), "alpha\n");
  // One that works in the newest stays where it is.
  const inside = scene.command(
    `cd "$MOUNT/tags/main/latest"; pwd -P; read -r; pwd -P; cat a`,
  );
  Deno.writeTextFileSync(`${scene.source}/c`, "gamma\n");
  const next = await saveAgain(scene);
  await waitFor("the new snapshot", () => {
    return [...Deno.readDirSync(`${point}/ids`)].length === 2;
  });
  strictEqual(await scene.bash(`cat "$MOUNT/ids/${next}/c"`), "gamma\n");
  await waitFor("the newest of the tag", () => {
    try {
      return Deno.readTextFileSync(`${point}/tags/main/latest/c`) === "gamma\n";
    } catch {
      return false;
    }
  });
  const times = await scene.bash(`ls "$MOUNT/tags/main"`);
  match(times, /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(\.2)?\n){2}latest\n$/);
  await scene.bash(`diff -r "$SOURCE" "$MOUNT/tags/main/latest/"`);
  strictEqual((await inside.output()).code, 1, "read at the end of its input");
  match(
    (await scene.run(`touch "$MOUNT/x" "$MOUNT/ids/${id}/x"`)).stderr,
    /Read-only file system[^]*Read-only file system/,
  );
  match((await scene.run(`ls "$MOUNT/absent"`)).stderr, /No such file/);
});

mountTest("umount: busy, lazy, stale, and what is not ours", async () => {
  await using scene = await savedScene();
  const { point } = scene;
  const nothing = await snap(scene, "umount", point);
  strictEqual(nothing.code, 1);
  match(
    nothing.stderr,
    /nothing is mounted there\n {2}hint: snap ls --mounts lists/,
  );
  await scene.bash(`mount -t tmpfs none "$MOUNT"`);
  const foreign = await snap(scene, "umount", point);
  strictEqual(foreign.code, 1);
  match(foreign.stderr, /a mount of type tmpfs is there/);
  await scene.bash(`umount "$MOUNT"; mkdir "$MOUNT/inner"`);
  await snap(scene, "mount", "main", `${point}/inner`);
  await scene.bash(`mount -t tmpfs none "$MOUNT"; mkdir "$MOUNT/inner"`);
  const covered = await snap(scene, "umount", `${point}/inner`);
  match(covered.stderr, /it is not mounted, or another mount covers it/);
  await scene.bash(`umount "$MOUNT"`);
  strictEqual((await snap(scene, "umount", `${point}/inner`)).code, 0);
  await scene.bash(`rmdir "$MOUNT/inner"`);
  await snap(scene, "mount", "main", point);
  using file = Deno.openSync(`${point}/a`);
  const busy = await snap(scene, "umount", point);
  strictEqual(busy.code, 1);
  match(busy.stderr, /in use\n {2}hint: fuser -vm .* --lazy/);
  strictEqual((await snap(scene, "umount", point, "--lazy")).code, 0);
  strictEqual(isMounted(point), false);
  const buffer = new Uint8Array(5);
  strictEqual(file.readSync(buffer), 5);
});

/** Ends a server so that its mount stays: with all that looks after it. */
async function killAll(scene: MountScene, pid: number): Promise<void> {
  await scene.bash(`kill -9 $(pgrep -P ${pid}) ${pid}`);
  await waitFor("the end of the server", () => !isRunning(pid));
}

mountTest("ls --mounts: what is mounted, and whether it answers", async () => {
  await using scene = await savedScene();
  const { point, id } = scene;
  const mounted = await snap(scene, "mount", "main", point, "--json");
  const rows = async () =>
    (await snap(scene, "ls", "--mounts")).stdout.split("\n")
      .map((line) => line.split("\t")).find((row) => row[1] === point);
  deepStrictEqual(await rows(), [id.slice(0, 12), point, "ok", "3", "4096"]);
  await killAll(scene, Number(parseLines(mounted.stdout)[0].pid));
  ok(isMounted(point));
  deepStrictEqual((await rows())!.slice(2), ["stale", "", ""]);
  const { stdout } = await snap(scene, "ls", "--mounts", "--json");
  const line = parseLines(stdout).find((one) => one.mountpoint === point);
  deepStrictEqual(line, {
    v: 1,
    type: "mount",
    mountpoint: point,
    source: `snap:${id.slice(0, 12)}`,
    state: "stale",
  });
  // One that is mounted over it, and one that clears it.
  strictEqual((await snap(scene, "mount", "main", point)).code, 0);
  deepStrictEqual((await rows())!.slice(2, 3), ["ok"]);
  strictEqual((await snap(scene, "umount", point)).code, 0);
  const again = await snap(scene, "mount", "main", point, "--json");
  await killAll(scene, Number(parseLines(again.stdout)[0].pid));
  strictEqual((await snap(scene, "umount", point)).code, 0);
  strictEqual(isMounted(point), false);
});
