// Restores by an ordinary user, and under limits of the shell: the real program, from outside.
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ROOT } from "../_tools/workspace.ts";
import { TemporaryFolder } from "./_snapshots.ts";
import { denoFolder, type Outcome, run } from "./_run.ts";

/** Another user, who may read the sources and the store wherever they lie, but not write there. */
const AS_USER =
  "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search --";

const ignore = Deno.build.os !== "linux" || Deno.uid() !== 0;

/** Runs lines of bash in a folder; `snap` is ours, `user` runs a program as another user. */
async function bash(folder: TemporaryFolder, script: string): Promise<Outcome> {
  const command = `"${Deno.execPath()}" run -A ${ROOT}cli/main.ts`;
  const lines = `set -euo pipefail
    snap() { ${command} "$@"; }
    user() { ${AS_USER} "$@"; }
    usersnap() { user ${command} "$@"; }
    ${script}`;
  return await run(["bash", "-c", lines], {
    cwd: folder.path,
    env: {
      HOME: folder.path,
      DENO_DIR: denoFolder(),
      SNAP_STORE: folder.join("store"),
      LC_ALL: "C",
    },
  });
}

async function runWell(
  folder: TemporaryFolder,
  script: string,
): Promise<string> {
  const { code, stdout, stderr } = await bash(folder, script);
  strictEqual(code, 0, stdout + stderr);
  return stdout;
}

Deno.test({
  name:
    "restore: an own directory that its mode locks is written to, then as recorded",
  ignore,
  async fn() {
    using folder = new TemporaryFolder();
    await runWell(
      folder,
      `chmod 755 .; mkdir -p tree/locked/deep tree/shut
      echo new >tree/locked/deep/file; echo two >tree/shut/two
      chmod 555 tree/locked tree/locked/deep; chmod 111 tree/shut; chmod 755 tree
      snap init; snap save tree -t main
      cp -a tree out; chmod 755 out/locked/deep
      echo old >out/locked/deep/file; rm -r out/locked/deep; mkdir out/locked/deep
      mkdir out/locked/extra; touch out/locked/extra/file
      chmod 555 out/locked/deep out/locked out/locked/extra; chmod 0 out/shut
      chown -R 65534:65534 out; chmod 555 out`,
    );
    for (const dry of ["--dry-run", ""]) {
      const modes = await runWell(
        folder,
        `usersnap restore main out --existing --delete ${dry} >&2
        find out ! -type f -printf '%P %m\\n' | sort`,
      );
      if (dry !== "") match(modes, /^ 555\nlocked 555\nlocked\/deep 555\n/);
      else {
        strictEqual(
          modes,
          " 755\nlocked 555\nlocked/deep 555\nshut 111\n",
        );
      }
    }
    await runWell(folder, "diff -r tree out");
  },
});

Deno.test({
  name: "restore: a directory of somebody else is left as it is",
  ignore,
  async fn() {
    using folder = new TemporaryFolder();
    await runWell(
      folder,
      `chmod 755 .; mkdir -p tree/a tree/b; echo 1 >tree/a/1; echo 2 >tree/b/2
      snap init; snap save tree -t main
      mkdir -p out/a; chown 65534:65534 out; chmod 555 out/a`,
    );
    const { code, stderr } = await bash(
      folder,
      "usersnap restore main out --existing",
    );
    strictEqual(code, 3, stderr);
    match(stderr, /Cannot create a\/1: permission is denied/);
    const found = await runWell(
      folder,
      "cat out/b/2; stat -c '%a %u' out/a; ls out/a",
    );
    strictEqual(found, "2\n555 0\n");
  },
});

Deno.test({
  name: "restore: a file above the limit of the shell is an error of that file",
  ignore,
  async fn() {
    using folder = new TemporaryFolder();
    await runWell(
      folder,
      `mkdir tree; echo small >tree/small; echo zz >tree/zz
      truncate -s 300M tree/large; echo end >>tree/large
      truncate -s 300M tree/sparse
      snap init; snap save tree -t main`,
    );
    const { code, stderr } = await bash(
      folder,
      "ulimit -f 204800; snap restore main out --workers 1",
    );
    strictEqual(code, 3, stderr);
    match(stderr, /Cannot write large: .*\(EFBIG\)/);
    match(stderr, / of sparse: .*\(EFBIG\)/);
    const names = [...Deno.readDirSync(folder.join("out"))]
      .map(({ name }) => name).sort();
    deepStrictEqual(names, ["small", "zz"]);
  },
});
