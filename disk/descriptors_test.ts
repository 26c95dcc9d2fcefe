// What is opened is closed, once, and nothing else is: also where any one call fails.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  EIO,
  ENOENT,
  ENOSYS,
  O_DIRECTORY,
  O_RDONLY,
} from "@snap/posix/constants";
import { runAtOnce } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import { diskCalls } from "./best_calls.ts";
import type { DiskCalls } from "./disk_calls.ts";
import { DiskError } from "./disk_error.ts";
import { openBelow } from "./open_below.ts";
import { openTarget } from "./target/open_target.ts";
import { openSource } from "./source/source.ts";
import { FileReader } from "./source/source_file.ts";
import {
  BACK_ENDS,
  bytes,
  isReduced,
  pathsOf,
  putNothing,
  tempDir,
  text,
} from "./testdata/temp_dir.ts";

/** Calls that count descriptors, of which one fails. */
interface Counted {
  readonly calls: DiskCalls;
  /** Number of the call that fails, from 1; 0 for none. */
  failAt: number;
  /** Calls so far. */
  count: number;
  /** Name of the call that failed. */
  failed: string;
  /** Descriptors that are open now. */
  readonly open: Set<number>;
  /** Most descriptors that were open at once. */
  openMax: number;
}

const OPENING = new Set(["open", "openAt", "openAt2"]);
/** Calls that open or change nothing, or have an answer that is no error number. */
const QUIET = new Set(["geteuid", "umask", "directoryEntries", "fsType"]);

function counted(inner: DiskCalls): Counted {
  const open = new Set<number>();
  const state: Counted = {
    failAt: 0,
    count: 0,
    failed: "",
    open,
    openMax: 0,
    calls: new Proxy(inner, {
      get(target, key) {
        const value = target[key as keyof DiskCalls];
        if (typeof value !== "function") return value;
        const call = value.bind(target) as (...args: unknown[]) => number;
        const name = String(key);
        if (QUIET.has(name)) return call;
        return (...args: unknown[]) => {
          const isFailing = ++state.count === state.failAt;
          if (isFailing) state.failed = name;
          if (name === "close") {
            assert.ok(open.delete(args[0] as number), `foreign: ${args[0]}`);
            const result = call(...args);
            return isFailing ? -EIO : result;
          }
          if (isFailing) return -EIO;
          const result = call(...args);
          if (OPENING.has(name) && result >= 0) open.add(result);
          state.openMax = Math.max(state.openMax, open.size);
          return result;
        };
      },
    }),
  };
  return state;
}

/** Does something once for each call in it, which fails; says how many there were. */
function failEach(
  inner: DiskCalls,
  act: (counted: Counted) => void,
): number {
  for (let failAt = 1;; failAt++) {
    assert.ok(failAt < 1000);
    const state = counted(inner);
    state.failAt = failAt;
    act(state);
    assert.deepEqual([...state.open], [], `call ${failAt}: ${state.failed}`);
    if (state.failed === "") return failAt - 1;
  }
}

/** Runs, and takes an error of the disk as an answer. */
function attempt<T>(act: () => T): T | DiskError {
  try {
    return act();
  } catch (error) {
    if (error instanceof DiskError) return error;
    throw error;
  }
}

function statOf(path: string, calls: DiskCalls): StatTable {
  const table = new StatTable(1);
  const name = bytes(`${path}\0`);
  assert.equal(calls.statAt(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, table, 0), 0);
  return table;
}

/** A folder with a few entries, some with attributes. */
function makeSource(path: string): void {
  mkdirSync(`${path}/a/b`, { recursive: true });
  writeFileSync(`${path}/a/b/deep`, "deep");
  writeFileSync(`${path}/a/one`, "one");
  writeFileSync(`${path}/top`, "top");
  symlinkSync("a/one", `${path}/link`);
}

for (const [name, inner] of BACK_ENDS) {
  Deno.test(`${name} FileReader closes all that it opened, and reads on after any error`, () => {
    using dir = tempDir();
    makeSource(dir.path);
    const stats = statOf(`${dir.path}/a/one`, inner);
    const read = (reader: FileReader): string => {
      const out = new Uint8Array(100);
      let all = "";
      for (
        const [at, file] of [["", "top"], ["a", "one"], ["a/b", "deep"], [
          "a",
          "one",
        ]]
      ) {
        reader.open(bytes(at), bytes(file));
        all += text(out.subarray(0, reader.read(out, 0)));
      }
      assert.equal(reader.extras(stats, 0, putNothing), undefined);
      assert.equal(reader.isUnchanged(stats, 0), true);
      return all;
    };
    const count = failEach(inner, (state) => {
      using reader = new FileReader(dir.path, state.calls);
      const first = attempt(() => read(reader));
      if (state.failed !== "" && state.failed !== "close") {
        assert.ok(first instanceof DiskError, state.failed);
        assert.equal(first.code, "EIO");
      } else assert.equal(first, "toponedeepone");
      state.failAt = 0;
      assert.equal(read(reader), "toponedeepone", `after ${state.failed}`);
      assert.ok(state.openMax <= 3, `${state.openMax} were open`);
    });
    assert.ok(count > 10, `${count} calls`);
  });

  Deno.test(`${name} source closes all that it opened, whichever call fails`, () => {
    using dir = tempDir();
    makeSource(dir.path);
    const all = ["a/", "a/b/", "a/b/deep", "a/one", "link", "top"];
    failEach(inner, (state) => {
      using source = openSource(dir.path, { calls: state.calls });
      const paths = attempt(() => pathsOf(source));
      const isWhole = Array.isArray(paths) && paths.length === all.length;
      if (isWhole) assert.deepEqual(paths, all);
      else {
        assert.ok(
          paths instanceof DiskError || source.errorCount > 0,
          state.failed,
        );
      }
      state.failAt = 0;
      assert.deepEqual(pathsOf(source), all, `after ${state.failed}`);
    });
  });

  Deno.test(`${name} source closes what a caller has left open`, () => {
    using dir = tempDir();
    makeSource(dir.path);
    const state = counted(inner);
    {
      using source = openSource(dir.path, { calls: state.calls });
      const root = source.root();
      const child = root.child(0);
      assert.ok(!(child instanceof DiskError));
      child.close();
      child.close();
      source.open().more();
      assert.equal(state.open.size, 2);
    }
    assert.deepEqual([...state.open], []);
  });

  Deno.test(`${name} target closes all that it opened, whichever call fails`, () => {
    const steps = (path: string, calls: DiskCalls): void => {
      using target = openTarget(path, { calls, create: true, openMax: 2 });
      const { root } = target;
      const create = { create: true };
      const a = target.directory(root, bytes("a"), create);
      const b = target.directory(a, bytes("b"), create);
      const c = target.directory(b, bytes("c"), create);
      for (
        const [directory, file] of [[a, "y"], [c, "z"]] as const
      ) {
        for (const temporary of [false, true]) {
          using created = target.createFile(directory, bytes(file), {
            temporary,
          });
          created.write(bytes("content"), 0);
          created.setSize(3);
          created.finish();
        }
      }
      target.symlink(a, bytes("link"), bytes("y"));
      target.hardLink(root, bytes("hard"), { directory: c, name: bytes("z") });
      runAtOnce(target.list(c));
      target.directoryAt(bytes("a/b/c"));
      target.removeTree(root, bytes("a"));
      target[Symbol.dispose]();
    };
    failEach(inner, (state) => {
      using dir = tempDir(existsSync("/dev/shm") ? "/dev/shm" : "/tmp");
      const path = `${dir.path}/one/two`;
      const outcome = attempt(() => steps(path, state.calls));
      assert.deepEqual([...state.open], [], `after ${state.failed}`);
      if (outcome instanceof DiskError) assert.equal(outcome.code, "EIO");
      else assert.equal(readFileSync(`${path}/hard`, "utf8"), "con");
    });
  });
}

Deno.test({
  name:
    "native target that removes a deep tree closes all that it opened, whichever call fails",
  ignore: isReduced,
  fn() {
    using dir = tempDir(existsSync("/dev/shm") ? "/dev/shm" : "/tmp");
    const deep = `d/${"d/".repeat(40)}`;
    const inner = diskCalls();
    failEach(inner, (state) => {
      mkdirSync(`${dir.path}/${deep}`, { recursive: true });
      const { failAt } = state;
      state.failAt = 0;
      using target = openTarget(dir.path, { calls: state.calls });
      const { size } = state.open;
      state.failAt = failAt === 0 ? 0 : state.count + failAt;
      const outcome = attempt(() => target.removeTree(target.root, bytes("d")));
      assert.equal(state.open.size, size, `after ${state.failed}`);
      assert.equal(
        existsSync(`${dir.path}/d`),
        outcome instanceof DiskError && state.failed !== "close",
        `${failAt} ${state.failed}`,
      );
      state.failAt = 0;
      target.removeTree(target.root, bytes("d"));
      assert.ok(!existsSync(`${dir.path}/d`));
    });
  },
});

Deno.test({
  name:
    "native FileReader and target open part by part where openat2 is absent",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    makeSource(dir.path);
    symlinkSync("a", `${dir.path}/way`);
    const old = new Proxy(diskCalls(), {
      get(target, key) {
        if (key === "openAt2") return () => -ENOSYS;
        const value = target[key as keyof DiskCalls];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    failEach(old, (state) => {
      using reader = new FileReader(dir.path, state.calls);
      const out = new Uint8Array(4);
      const read = () => {
        reader.open(bytes("a/b"), bytes("deep"));
        return text(out.subarray(0, reader.read(out, 0)));
      };
      const first = attempt(read);
      assert.ok(first === "deep" || first instanceof DiskError, state.failed);
      state.failAt = 0;
      assert.equal(read(), "deep");
      const planted = attempt(() => reader.open(bytes("way/b"), bytes("deep")));
      assert.ok(planted instanceof DiskError);
      assert.match(planted.code, /ELOOP|ENOTDIR/);
      assert.equal(read(), "deep");
    });
  },
});

Deno.test({
  name: "native FileReader asks for no more of a file than is enough",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    writeFileSync(`${dir.path}/file`, new Uint8Array(1000).fill(7));
    const inner = diskCalls();
    let asked = 0;
    const calls = new Proxy(inner, {
      get(target, key) {
        if (key === "pread") {
          return (fd: number, out: Uint8Array, offset: number) => {
            asked++;
            return inner.pread(fd, out.subarray(0, 100), offset);
          };
        }
        const value = target[key as keyof DiskCalls];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    using reader = new FileReader(dir.path, calls);
    reader.open(bytes(""), bytes("file"));
    const out = new Uint8Array(2000);
    for (
      const [enough, size, count] of [
        [1, 100, 1],
        [100, 100, 1],
        [101, 200, 2],
        [1000, 1000, 10],
        [1001, 1000, 11],
      ]
    ) {
      asked = 0;
      assert.equal(reader.read(out, 0, enough), size, `${enough}`);
      assert.equal(asked, count, `${enough}`);
    }
  },
});

Deno.test({
  name:
    "a directory below is opened by one call, and by parts where its path is too long",
  ignore: isReduced,
  fn() {
    using dir = tempDir();
    const inner = diskCalls();
    const flags = O_RDONLY | O_DIRECTORY;
    const root = inner.open(bytes(`${dir.path}\0`), flags, 0);
    const state = counted(inner);
    const open = (path: string): number => {
      state.count = 0;
      return openBelow(state.calls, root, bytes(path), "entered");
    };
    // Of 20 parts with 19 slashes between them.
    for (const [size, calls] of [[4000, 1], [4001, 39]]) {
      const names = Array<string>(20).fill("x".repeat(199));
      names[0] = "x".repeat(size - 19 * 200);
      const path = names.join("/");
      assert.equal(path.length, size);
      assert.equal(open(path), -ENOENT);
      assert.equal(state.count, 1, "nothing is there");
      let at = root;
      for (const name of names) {
        inner.mkdirAt(at, bytes(`${name}\0`), 0o700);
        const next = inner.openAt(at, bytes(`${name}\0`), flags, 0);
        if (at !== root) inner.close(at);
        at = next;
      }
      inner.close(at);
      const fd = open(path);
      assert.ok(fd >= 0);
      assert.equal(state.count, calls);
      state.calls.close(fd);
      assert.equal(state.open.size, 0);
      execFileSync("rm", ["-r", `${dir.path}/${names[0]}`]);
    }
    inner.close(root);
  },
});
