import { equal, match } from "node:assert/strict";
import { MountScene, mountTest } from "../tests/_mount.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/**
 * Whether this kernel lets root mount an overlay over FUSE, with what is written on a
 * `tmpfs`. A container may keep it from that: then the program has to say so.
 */
const hasOverlays: boolean = await (async () => {
  if (Deno.uid() !== 0) return false;
  const script = `set -e; d=$(mktemp -d); mount -t tmpfs none "$d"
    mkdir "$d/u" "$d/w" "$d/l" "$d/m"
    mount -t overlay x -o "lowerdir=$d/l,upperdir=$d/u,workdir=$d/w" "$d/m"`;
  const { success } = await new Deno.Command("unshare", {
    args: ["-m", "sh", "-c", script],
    stderr: "null",
  }).output();
  return success;
})();

/** A scene with a saved tree, and a folder for temporary files that takes what is written. */
class Scene extends MountScene {
  readonly temporary = this.folder.join("tmp");

  static async open(size = "64m"): Promise<Scene> {
    const scene = new Scene();
    await scene.bash(`mkdir "$FOLDER/tmp"
      mount -t tmpfs -o size=${size},mode=1777 none "$FOLDER/tmp"
      mkdir "$SOURCE/sub" "$SOURCE/old"; echo alpha > "$SOURCE/a"
      echo beta > "$SOURCE/sub/b"; echo gone > "$SOURCE/old/c"`);
    await scene.init();
    await scene.snap(
      "save",
      scene.source,
      "-t",
      "main",
      "--store",
      scene.store,
    );
    return scene;
  }

  /** Runs lines in which `snap` is the program. */
  lines(script: string) {
    return this.run(`export TMPDIR="${this.temporary}" SNAP_STORE="$STORE"
      snap() { "$DENO" run -A "${MAIN}" "$@"; }
      set +e; ${script}`);
  }

  /** What lies in the folder for temporary files. */
  left(): string[] {
    return [...Deno.readDirSync(this.temporary)].map(({ name }) => name);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.run(`umount -l "$FOLDER/tmp"`);
    await super[Symbol.asyncDispose]();
  }
}

/** A test of overlays; where there are none, that the program says so. */
function overlayTest(name: string, run: (scene: Scene) => Promise<void>): void {
  mountTest(
    hasOverlays ? name : `${name} (no overlays here: that it is said)`,
    async () => {
      await using scene = await Scene.open();
      if (hasOverlays) return await run(scene);
      const { code, stderr } = await scene.lines(
        "snap exec --save built main -- true",
      );
      equal(code, 1);
      match(stderr, /^snap: Cannot (mount writable|exec).*\n {2}hint: /);
    },
  );
}

overlayTest(
  "exec --save: what a real build makes is the snapshot that a build on disk makes",
  async (scene) => {
    await scene.bash(`cat > "$SOURCE/Makefile" <<'END'
all: out/report total
out/%: %.txt | out
	sed 's/a/A/g' $< > $@
out:
	mkdir out
total: out/report
	wc -c < out/report > $@ && rm old/c && rmdir old && mkdir -m 700 old && mv sub moved && chmod 755 a
END
    printf '%s\\n' 'a banana' > "$SOURCE/report.txt"`);
    const { stdout, stderr, code } = await scene.lines(`
    snap save "$SOURCE" -t source >/dev/null
    snap exec --save built source -q -- make >&2; echo "$?"
    make -C "$SOURCE" >&2; snap id "$SOURCE"; snap tag | grep ^built | cut -f 2
    snap restore built "$FOLDER/again" -q; diff -r "$SOURCE" "$FOLDER/again" && echo same`);
    equal(code, 0, stderr);
    const [answer, wanted, built, same] = stdout.split("\n");
    equal(answer, "0", stderr);
    equal(built, wanted);
    equal(same, "same");
    equal(scene.left().length, 0);
  },
);

overlayTest(
  "exec --save: a real npm installs a package, and node runs what is saved",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    mkdir "$FOLDER/dep" "$FOLDER/app"
    echo '{"name":"dep","version":"1.2.3","main":"index.js"}' > "$FOLDER/dep/package.json"
    echo 'module.exports = "from dep"' > "$FOLDER/dep/index.js"
    (cd "$FOLDER/app" && npm pack -s ../dep > /dev/null)
    echo '{"name":"app","version":"1.0.0","private":true}' > "$FOLDER/app/package.json"
    echo 'console.log(require("dep"))' > "$FOLDER/app/app.js"
    snap save "$FOLDER/app" -t app > /dev/null
    snap exec --save ready app -q -- npm install --offline --no-audit --no-fund ./dep-1.2.3.tgz > /dev/null; echo "$?"
    snap exec ready -- node app.js; snap diff app ready | grep -c node_modules/dep/`);
    equal(stdout.split("\n").slice(0, 2).join(" "), "0 from dep", stderr);
    match(stdout, /\n[1-9]\d*\n$/, stderr);
    equal(scene.left().length, 0);
  },
);

overlayTest(
  "exec --save: a command that fails moves no tag, unless that is asked for",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    snap exec --save built main -- sh -c 'echo x > x; exit 7'; echo "$?"
    snap exec --save built main -- sh -c 'kill -KILL $$'; echo "$?"
    snap exec --save built main -- no-such-program; echo "$?"
    snap tag
    snap exec --save built --always main -q -- sh -c 'echo x > x; exit 7'; echo "$?"
    snap cat built:x`);
    match(stdout, /^7\n137\n127\nmain.*\n7\nx\n$/);
    match(stderr, /Dropped what the command wrote, 1 entry, as it failed/);
    equal(scene.left().length, 0);
  },
);

overlayTest(
  "exec --save: what the command leaves running is ended, and writes no more",
  async (scene) => {
    const time = `4321.${Deno.pid}`;
    const { stdout } = await scene.lines(`export T=${time}
    snap exec --save built main -q -- sh -c 'setsid sh -c "trap : TERM HUP; sleep $T; echo late > late" >/dev/null 2>&1 & echo early > early'
    echo "$?"; pgrep -f "slee[p] $T" || echo none; snap ls built`);
    equal(stdout, "0\nnone\na\nearly\nold\nsub\n");
  },
);

overlayTest(
  "exec --save: signals reach the command, whose answer counts",
  async (scene) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "run",
          "-A",
          MAIN,
          "exec",
          "--store",
          scene.store,
          "--save",
          "built",
        ],
        ...["main", "--", "bash", "-c"],
        `trap 'echo told > told; exit 0' TERM; echo ready; while :; do sleep 0.01; done`,
      ],
      env: { ...scene.env, TMPDIR: scene.temporary },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGTERM");
    while (!(await reader.read()).done);
    equal((await child.status).code, 0);
    const { stdout } = await scene.lines("snap cat built:told");
    equal(stdout, "told\n");
  },
);

overlayTest(
  "exec --save: a full disk is the command's failure, and nothing is half",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    snap exec --save built main -- dd if=/dev/zero of=big bs=1M count=128 status=none; echo "$?"
    snap tag | cut -f 1; snap verify --data > /dev/null; echo "$?"`);
    equal(stdout, "1\nmain\n0\n");
    match(stderr, /dd: .*No space left on device/);
    match(stderr, /Dropped what the command wrote/);
    equal(scene.left().length, 0);
  },
);

overlayTest(
  "exec --save: where saving fails what was written stays, and commit saves it",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    snap exec --save built main -- sh -c 'echo x > x; mv "$STORE/packs" "$STORE/away"; : > "$STORE/packs"'; echo "$?"
    rm "$STORE/packs"; mv "$STORE/away" "$STORE/packs"
    snap commit "$TMPDIR"/snap-exec-* -t built > /dev/null; echo "$?"; snap cat built:x`);
    match(
      stderr,
      /Kept what the command wrote in .*snap commit .* --tag built saves it/,
    );
    equal(stdout, "1\n0\nx\n");
    equal(scene.left().length, 0);
  },
);

overlayTest(
  "mount --writable: is written to, committed, ended, and gone on with",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    snap mount main "$MOUNT" -w --upper "$TMPDIR/upper" > /dev/null; echo "$?"
    echo new > "$MOUNT/new"; rm -r "$MOUNT/old"; mv "$MOUNT/sub" "$MOUNT/moved"
    [ "$(snap commit "$MOUNT" -t one)" = "$(snap id "$MOUNT")" ] && echo same
    echo more > "$MOUNT/more"; snap umount "$MOUNT" --upper x 2>/dev/null; snap umount "$MOUNT"; echo "$?"
    cat "$SOURCE/a" > /dev/null; ls -A "$MOUNT"
    snap mount main "$MOUNT" -w --upper "$TMPDIR/upper" > /dev/null; cat "$MOUNT/more"
    snap umount "$MOUNT"; snap mount one "$MOUNT" -w --upper "$TMPDIR/upper"; echo "$?"
    snap commit "$TMPDIR/upper" -t two > /dev/null; echo "$?"; snap ls two; ls -A "$TMPDIR"`);
    equal(stdout, "0\nsame\n0\nmore\n1\n0\na\nmore\nmoved\nnew\n", stderr);
    match(stderr, /Kept what was written, \d+ entries/);
    match(stderr, /Goes on with what was written here before: \d+ entries/);
    match(stderr, /what was written there to [0-9a-f]{12} is not saved/);
  },
);

overlayTest(
  "mount --writable: a server that was killed leaves what was written, and umount tidies",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    export XDG_STATE_HOME="$TMPDIR/state"
    pid=$(snap mount main "$MOUNT" -w --json | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
    echo new > "$MOUNT/new"; kill -9 "$pid"
    snap mount main "$MOUNT" -w; echo "$?"
    snap umount "$MOUNT"; echo "$?"; grep -c "$FOLDER/" /proc/self/mountinfo
    snap commit "$MOUNT" -t saved > /dev/null; echo "$?"; snap cat saved:new
    snap mount main "$MOUNT" -w > /dev/null; echo x > "$MOUNT/x"; snap umount "$MOUNT" --discard; echo "$?"
    find "$XDG_STATE_HOME" -type f`);
    equal(stdout, "1\n0\n1\n0\nnew\n0\n", stderr);
    match(stderr, /is mounted there\n {2}hint: /);
  },
);

overlayTest(
  "commit: what was mounted from another store, and what is no mount, is refused",
  async (scene) => {
    const { stdout, stderr } = await scene.lines(`
    snap init "$FOLDER/other" > /dev/null
    snap mount main "$MOUNT" -w --upper "$TMPDIR/upper" > /dev/null; echo x > "$MOUNT/x"
    snap commit "$MOUNT" --store "$FOLDER/other"; echo "$?"
    snap commit "$SOURCE"; echo "$?"
    snap mount main:sub "$SOURCE" -w --upper "$TMPDIR/second"; echo "$?"
    echo nonsense > "$TMPDIR/upper/overlay.json"; snap commit "$MOUNT"; echo "$?"
    umount "$MOUNT"; umount -l "$TMPDIR/upper/lower"`);
    equal(stdout, "1\n1\n1\n1\n", stderr);
    match(
      stderr,
      /Cannot commit over [0-9a-f]{64}: the store has no such snapshot\n {2}hint: .*--store names that/,
    );
    match(stderr, /Cannot commit .*: no snapshot is mounted writable there/);
    match(stderr, /Cannot write to "main:sub": it is a part of a snapshot/);
    match(stderr, /Cannot use .*overlay.json: it is damaged/);
  },
);
