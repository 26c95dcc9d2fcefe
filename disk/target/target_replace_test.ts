import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { errnos } from "@snap/posix/constants";
import { DiskError } from "../disk_error.ts";
import { openTarget } from "./open_target.ts";
import { identifyPath } from "../source/source.ts";
import { canMount, mounted } from "../testdata/mounted.ts";
import {
  BACK_ENDS,
  bytes,
  hooked,
  isReduced,
  tempDir,
  text,
} from "../testdata/temp_dir.ts";

const isRoot = Deno.uid() === 0;

for (const [name, calls] of BACK_ENDS) {
  Deno.test(`${name} target puts an entry in the place of another in one step`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/a`, "old");
    using target = openTarget(dir.path, { calls });
    target.replace(target.root, bytes("a"), {
      make(temporary) {
        target.symlink(target.root, temporary, bytes("to"));
        assert.equal(readFileSync(`${dir.path}/a`, "utf8"), "old");
        assert.equal(readlinkSync(`${dir.path}/${text(temporary)}`), "to");
      },
    });
    assert.equal(readlinkSync(`${dir.path}/a`), "to");
    assert.deepEqual(readdirSync(dir.path), ["a"]);
  });

  Deno.test(`${name} target keeps what is there where the new entry fails at any step`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/a`, "old");
    mkdirSync(`${dir.path}/full/below`, { recursive: true });
    using target = openTarget(dir.path, { calls });
    const make = (temporary: Uint8Array): void =>
      target.symlink(target.root, temporary, bytes("to"));
    const stop = (): never => {
      throw new Error("stop");
    };
    const replace = (
      name: string,
      acts: Parameters<typeof target.replace>[2],
    ) => target.replace(target.root, bytes(name), acts);
    assert.throws(() => replace("a", { make: stop }), /stop/);
    assert.throws(() => replace("a", { make, clear: stop }), /stop/);
    assert.throws(() => replace("full", { make }), (error: unknown) => {
      assert.ok(error instanceof DiskError);
      assert.equal(error.action, "replace");
      assert.equal(text(error.path), "full");
      return true;
    });
    assert.throws(() => replace("../a", { make }), DiskError);
    assert.equal(readFileSync(`${dir.path}/a`, "utf8"), "old");
    assert.deepEqual(readdirSync(dir.path).sort(), ["a", "full"]);
  });

  Deno.test(`${name} target leaves no second name of a file that is there already`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/a`, "a");
    linkSync(`${dir.path}/a`, `${dir.path}/b`);
    using target = openTarget(dir.path, { calls });
    const { root } = target;
    target.replace(root, bytes("b"), {
      make: (temporary) => {
        target.hardLink(root, temporary, { directory: root, name: bytes("a") });
      },
    });
    assert.deepEqual(readdirSync(dir.path).sort(), ["a", "b"]);
    assert.equal(statSync(`${dir.path}/a`).nlink, 2);
  });

  Deno.test(`${name} target puts a directory in the place of what is cleared for it`, () => {
    using dir = tempDir();
    writeFileSync(`${dir.path}/a`, "old");
    mkdirSync(`${dir.path}/b`);
    using target = openTarget(dir.path, { calls });
    const enter = (name: string, clear: () => void) =>
      target.directory(target.root, bytes(name), { create: true, clear });
    assert.throws(() =>
      enter("a", () => {
        assert.equal(readFileSync(`${dir.path}/a`, "utf8"), "old");
        throw new Error("stop");
      }), /stop/);
    assert.equal(readFileSync(`${dir.path}/a`, "utf8"), "old");
    const directory = enter(
      "a",
      () => target.removeTree(target.root, bytes("a")),
    );
    assert.ok(directory.isNew);
    assert.equal(lstatSync(`${dir.path}/a`).mode & 0o7777, 0o700);
    // Nothing stands there: nothing is cleared.
    assert.ok(enter("c", () => assert.fail()).isNew);
    assert.deepEqual(readdirSync(dir.path).sort(), ["a", "b", "c"]);
  });
}

Deno.test("target tells why a directory cannot be made in the place of a file", () => {
  using dir = tempDir();
  writeFileSync(`${dir.path}/a`, "old");
  const [[, calls]] = BACK_ENDS;
  let count = 0;
  using target = openTarget(dir.path, {
    calls: hooked(calls, {
      mkdirAt: (...args) =>
        ++count === 2 ? -errnos.EDQUOT : calls.mkdirAt(...args),
    }),
  });
  const clear = (): void => target.removeTree(target.root, bytes("a"));
  assert.throws(
    () => target.directory(target.root, bytes("a"), { create: true, clear }),
    /^DiskError: Cannot make directory a: .*\(EDQUOT\)$/,
  );
  assert.equal(readFileSync(`${dir.path}/a`, "utf8"), "old");
  assert.deepEqual(readdirSync(dir.path), ["a"]);
});

/** The calls of an ordinary user, whom the system takes for root. */
function callsOf(uid: number) {
  const [[, calls]] = BACK_ENDS;
  return hooked(calls, { geteuid: () => uid });
}

Deno.test({
  name:
    "target opens locked directories of the user, to write into and to remove",
  ignore: isReduced || !isRoot,
  fn() {
    for (
      const [uid, owner, after] of [
        [1234, 1234, 0o700],
        [1234, 99, 0],
        [0, 0, 0],
      ]
    ) {
      using dir = tempDir();
      const path = `${dir.path}/locked`;
      mkdirSync(path);
      chownSync(path, owner, 77);
      chmodSync(path, 0o2055);
      using target = openTarget(dir.path, { calls: callsOf(uid) });
      target.directory(target.root, bytes("locked"));
      assert.equal(statSync(path).mode & 0o7777, 0o2055);
      target.directory(target.root, bytes("locked"), { create: true });
      assert.equal(statSync(path).mode & 0o7777, 0o2055 | after);
      chmodSync(path, 0o555);
      const seen: number[] = [];
      const calls = callsOf(uid);
      using remover = openTarget(dir.path, {
        calls: hooked(calls, {
          directoryEntries(...args) {
            if (existsSync(path)) seen.push(statSync(path).mode & 0o7777);
            return calls.directoryEntries(...args);
          },
        }),
      });
      remover.removeTree(remover.root, bytes("locked"));
      assert.equal(seen[0], 0o555 | after);
      assert.equal(existsSync(path), false);
    }
  },
});

Deno.test({
  name: "target leaves the mode of what is mounted, and of the store",
  ignore: isReduced || !isRoot || !canMount(),
  fn() {
    using dir = tempDir();
    for (const name of ["mounted", "store"]) mkdirSync(`${dir.path}/${name}`);
    using _ = mounted(`${dir.path}/mounted`, "-t", "tmpfs", "none");
    for (const name of ["mounted", "store"]) {
      chownSync(`${dir.path}/${name}`, 1234, 1234);
      chmodSync(`${dir.path}/${name}`, 0o500);
    }
    const excludeStore = identifyPath(`${dir.path}/store`)!;
    using target = openTarget(dir.path, { calls: callsOf(1234), excludeStore });
    for (const [name, code] of [["mounted", "EMOUNT"], ["store", "ESTORE"]]) {
      for (
        const act of [
          () => target.directory(target.root, bytes(name), { create: true }),
          () => target.removeTree(target.root, bytes(name)),
        ]
      ) assert.throws(act, { code });
      assert.equal(statSync(`${dir.path}/${name}`).mode & 0o7777, 0o500);
    }
  },
});
