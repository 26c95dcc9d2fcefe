import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { MountScene, mountTest, waitFor } from "../tests/_mount.ts";

/** A scene with a small snapshot, and a folder for temporary files. */
async function savedScene(): Promise<MountScene & { temporary: string }> {
  const scene = new MountScene();
  Deno.mkdirSync(`${scene.source}/sub`);
  Deno.writeTextFileSync(`${scene.source}/a`, "alpha\n");
  Deno.writeTextFileSync(`${scene.source}/sub/b`, "beta\n");
  await scene.init();
  await scene.snap("save", scene.source, "-t", "main", "--store", scene.store);
  const temporary = scene.folder.join("tmp");
  Deno.mkdirSync(temporary);
  return Object.assign(scene, { temporary });
}

/** The line of bash that runs the program in the scene. */
function line(scene: MountScene & { temporary: string }): string {
  const main = new URL("./main.ts", import.meta.url).pathname;
  return `export TMPDIR="${scene.temporary}" SNAP_STORE="$STORE"
    snap() { "$DENO" run -A "${main}" "$@"; }
    set +e`;
}

function isEmpty(path: string): boolean {
  return Deno.readDirSync(path)[Symbol.iterator]().next().done === true;
}

mountTest(
  "exec: a command with the snapshot as its folder, seen by it alone",
  async () => {
    await using scene = await savedScene();
    const { code, stdout, stderr } = await scene.run(`${line(scene)}
    echo input | snap exec main -- sh -c 'cat; cat a sub/b; [ "$PWD" = "$SNAP_MOUNT" ] && echo same; grep -c " $SNAP_MOUNT .* fuse.snap" /proc/self/mountinfo; id -u; echo said >&2; exit 7'
    echo "$?"; grep -c "$TMPDIR" /proc/self/mountinfo`);
    strictEqual(stderr, "said\n");
    strictEqual(stdout, "input\nalpha\nbeta\nsame\n1\n0\n7\n0\n");
    strictEqual(code, 1, "that grep finds none");
    ok(isEmpty(scene.temporary));
  },
);

mountTest(
  "exec: a folder of a snapshot, and arguments as they are",
  async () => {
    await using scene = await savedScene();
    const { stdout } = await scene.run(`${line(scene)}
    snap exec main:sub -- printf '%s|' -l --json 'a b' ''; echo
    snap exec main:sub -- ls`);
    strictEqual(stdout, "-l|--json|a b||\nb\n");
  },
);

mountTest("exec: answers as shells do, and leaves nothing", async () => {
  await using scene = await savedScene();
  const cases: [string, number, RegExp][] = [
    ["main -- true", 0, /^$/],
    ["main -- false", 1, /^$/],
    ["main -- sh -c 'kill -KILL $$'", 137, /^$/],
    ["main -- sh -c 'kill -TERM $$'", 143, /^$/],
    ["main -- no-such-program", 127, /"no-such-program": there is no such/],
    ["main -- ./a", 126, /"\.\/a": it cannot be run \(EACCES\)/],
    ["main -- ./sub", 126, /cannot be run/],
    ["nothing -- true", 1, /Cannot find snapshot nothing/],
    ["main:a -- true", 1, /it is no directory/],
    ["main", 2, /COMMAND is missing/],
    ["main true", 2, /-- belongs before COMMAND/],
    ["main --cache 1 -- true", 2, /--cache/],
  ];
  for (const [args, code, expected] of cases) {
    const said = await scene.run(`${line(scene)}
      snap exec ${args}`);
    deepStrictEqual([said.code, said.stdout], [code, ""], args + said.stderr);
    match(said.stderr, expected, args);
    ok(isEmpty(scene.temporary), args);
  }
});

mountTest("exec: passes signals on, and waits for the command", async () => {
  await using scene = await savedScene();
  const main = new URL("./main.ts", import.meta.url).pathname;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const name = signal.slice(3);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", main, "exec", "--store", scene.store, "main", "--"],
        ...["bash", "-c"],
        `trap 'echo ${name}; exit 9' ${name}; echo ready; while :; do sleep 0.01; done`,
      ],
      env: { ...scene.env, TMPDIR: scene.temporary },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    let said = "";
    const reading = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (text) => void (said += text) }),
    );
    await waitFor("the command", () => said.includes("ready"));
    child.kill(signal);
    strictEqual((await child.status).code, 9, signal);
    await reading;
    strictEqual(said, `ready\n${name}\n`);
    ok(isEmpty(scene.temporary), signal);
  }
});

mountTest(
  "exec: what the command leaves running does not keep it",
  async () => {
    await using scene = await savedScene();
    const { code, stdout } = await scene.run(`${line(scene)}
    snap exec main -- sh -c 'sleep 100 >/dev/null 2>&1 & echo $!'`);
    strictEqual(code, 0);
    ok(isEmpty(scene.temporary));
    Deno.kill(Number(stdout), "SIGKILL");
  },
);

mountTest("exec: says what to do where there are no namespaces", async () => {
  await using scene = await savedScene();
  const folder = scene.folder.join("bin");
  Deno.mkdirSync(folder);
  const absent = await scene.run(`${line(scene)}
    DENO="$DENO" PATH="${folder}" snap exec main -- true`);
  strictEqual(absent.code, 1);
  match(
    absent.stderr,
    /unshare is not installed.*\n {2}hint: install util-linux/,
  );
  Deno.writeTextFileSync(
    `${folder}/unshare`,
    "#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n",
    { mode: 0o755 },
  );
  const banned = await scene.run(`${line(scene)}
    PATH="${folder}:$PATH" snap exec main -- true`);
  strictEqual(banned.code, 1);
  match(
    banned.stderr,
    /without a user namespace: unshare failed: Operation not permitted\n {2}hint: .*; or use snap mount/,
  );
  ok(isEmpty(scene.temporary));
});

mountTest("exec: works where nothing can be written", async () => {
  await using scene = await savedScene();
  for (const folders of ["/tmp", "/tmp /var/tmp /dev/shm"]) {
    const { code, stdout, stderr } = await scene.run(`${line(scene)}
      export TMPDIR="$FOLDER/absent" MAIN="$(declare -f snap)"
      unshare -m bash -euc '
        for folder in ${folders}; do
          mount --bind $folder $folder; mount -o remount,bind,ro $folder
        done
        eval "$MAIN"; snap exec main:sub -- ls'`);
    deepStrictEqual([code, stdout], [0, "b\n"], folders + stderr);
    match(stderr, /^(snap: \/mnt is not empty: what is in it is hidden\n)?$/);
  }
});
