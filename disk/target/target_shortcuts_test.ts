// Calls that setting attributes saves, and those that it must not save.
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { EPERM } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { AttributeSetter, type TargetAttributes } from "./target_attributes.ts";
import { bytes, hooked, isReduced, tempDir } from "../testdata/temp_dir.ts";

/** Sets attributes of one open file, one after the other; gives the calls of each. */
function callsOf(
  all: readonly TargetAttributes[],
  change: Partial<DiskCalls> = {},
): string[][] {
  using dir = tempDir();
  const fd = openSync(`${dir.path}/file`, "w", 0o600);
  try {
    const inner = hooked(diskCalls(), change);
    let log: string[] = [];
    const calls = new Proxy(inner, {
      get(target, key) {
        const value = target[key as keyof DiskCalls];
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const mode = key === "fchmod"
            ? ` ${(args[1] as number).toString(8)}`
            : "";
          log.push(`${String(key)}${mode}`);
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const setter = new AttributeSetter(calls);
    return all.map((wanted) => {
      const present = new StatTable(1);
      diskCalls().stat(fd, present, 0);
      log = [];
      setter.set({ fd, path: () => bytes("file") }, wanted, {
        stats: present,
        mode: present.mode(0),
      });
      return log;
    });
  } finally {
    closeSync(fd);
  }
}

const uid = Deno.uid() ?? 0;
const gid = Deno.gid() ?? 0;
const isRoot = uid === 0;

Deno.test({
  name:
    "a mode that is there is not set again, unless something may have changed it",
  ignore: isReduced,
  fn() {
    const succeeds = { fchown: () => 0 };
    const fails = { fchown: () => -EPERM };
    const one = (wanted: TargetAttributes, change?: Partial<DiskCalls>) =>
      callsOf([wanted], change)[0].filter((call) => /^fch/.test(call));
    assert.deepEqual(one({ mode: 0o600, uid, gid }), []);
    assert.deepEqual(one({ mode: 0o600 }), []);
    assert.deepEqual(one({ mode: 0o640 }), ["fchmod 640"]);
    // A change of owner takes the set-id bits away.
    assert.deepEqual(one({ mode: 0o600, uid: uid + 1 }, succeeds), [
      "fchown",
      "fchmod 600",
    ]);
    assert.deepEqual(one({ mode: 0o6755, uid: uid + 1 }, succeeds), [
      "fchown",
      "fchmod 6755",
    ]);
    // Set-id bits are not for an owner whom nobody meant.
    assert.deepEqual(one({ mode: 0o6755, gid: gid + 1 }, fails), [
      "fchown",
      "fchmod 755",
    ]);
    // An access control list may change the mode.
    assert.deepEqual(one({ mode: 0o600, xattrs: [] }), ["fchmod 600"]);
    assert.deepEqual(one({}), []);
  },
});

Deno.test({
  name: "attributes are set in the order that keeps them",
  ignore: isReduced || !isRoot,
  fn() {
    const xattrs = [{ name: bytes("user.a"), value: bytes("b") }];
    const wanted = {
      mode: 0o640,
      uid: uid + 1,
      gid,
      xattrs,
      mtimeSec: 1000,
      mtimeNs: 1,
    };
    const [calls] = callsOf([wanted]);
    const steps = calls.filter((call) =>
      /^(fchown|fsetxattr|fchmod|futimens)/.test(call)
    );
    assert.deepEqual(steps, ["fchown", "fsetxattr", "fchmod 640", "futimens"]);
  },
});

Deno.test({
  name:
    "a time is read back until it is known what the file system keeps, and always where it is unusual",
  ignore: isReduced,
  fn() {
    const looks = (...times: [sec: number, ns: number][]): boolean[] =>
      callsOf(times.map(([mtimeSec, mtimeNs]) => ({ mtimeSec, mtimeNs })))
        .map((calls) => calls.includes("stat"));
    assert.deepEqual(looks([1001, 1], [1003, 5], [1002, 0]), [
      true,
      false,
      false,
    ]);
    // Without nanoseconds nothing is known of them, and of an even second nothing of odd ones.
    assert.deepEqual(looks([1001, 0], [1003, 0], [1003, 5], [1003, 6]), [
      true,
      false,
      true,
      false,
    ]);
    assert.deepEqual(looks([1000, 0], [1002, 0], [1001, 0], [1000, 0]), [
      true,
      true,
      true,
      false,
    ]);
    assert.deepEqual(looks([1001, 1], [-1, 0], [-1, 0], [2 ** 31 - 1, 0]), [
      true,
      true,
      true,
      false,
    ]);
    assert.deepEqual(looks([1001, 1], [2 ** 31, 0], [0, 0]), [
      true,
      true,
      false,
    ]);
  },
});
