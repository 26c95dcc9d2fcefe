// Archives by which others test: those of Go and of Python. GNU tar and bsdtar are the judges.
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { restore } from "@snap/restore";
import { lacksDebian, unpackPackage } from "../../tests/_debian.ts";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { describeTree, isRoot, TestFolder } from "../../tests/_test_trees.ts";
import { inPieces } from "./_testing.ts";
import { importTar } from "./import_tar.ts";

const GO = {
  package: "golang-1.19-src",
  path: "usr/share/go-1.19/src/archive/tar/testdata",
};
const PYTHON = {
  package: "libpython3.11-testsuite",
  path: "usr/lib/python3.11/test",
};

/**
 * What is not the same for all three. Most of what is refused has no end, which the
 * others overlook: it may have been cut off.
 */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "gnu-incremental.tar": "refused: ends too early; tar unpacks, bsdtar unpacks",
  "gnu-multi-hdrs.tar": "refused: ends too early; tar unpacks, bsdtar unpacks",
  "issue10968.tar": "refused: the sum of a header; tar fails, bsdtar fails",
  "issue11169.tar": "refused: the sum of a header; tar fails, bsdtar fails",
  "issue12435.tar": "refused: is no number; tar fails, bsdtar fails",
  "neg-size.tar": "refused: is no number; tar fails, bsdtar fails",
  "nil-uid.tar": "refused: ends too early; tar unpacks, bsdtar unpacks",
  "pax-bad-hdr-file.tar":
    "refused: what its length says; tar fails, bsdtar fails",
  // The others take the time of the header.
  "pax-bad-mtime-file.tar": "refused: is no time; tar unpacks, bsdtar unpacks",
  // An entry has no name. Times of a global record hold for what comes after it.
  "pax-global-records.tar": "tar fails, bsdtar other",
  "pax-multi-hdrs.tar": "refused: ends too early; tar unpacks, bsdtar fails",
  // The others end the name at the NUL.
  "pax-nul-path.tar":
    "refused: must not contain NUL; tar unpacks, bsdtar unpacks",
  "pax-pos-size-file.tar":
    "refused: ends too early; tar unpacks, bsdtar unpacks",
  "pax-nul-xattrs.tar": "refused: without NUL; tar fails, bsdtar fails",
  "pax-path-hdr.tar": "refused: ends too early; tar unpacks, bsdtar fails",
  "recursion.tar": "refused: ends too early; tar fails, bsdtar fails",
  // GNU tar does not know the first of its own formats any more.
  "sparse-formats.tar": "tar fails, bsdtar same",
  // bsdtar takes numbers for names, and cannot convert a name.
  "testtar.tar": "tar same, bsdtar fails",
  "ustar-file-reg.tar": "refused: ends too early; tar unpacks, bsdtar unpacks",
};

/** All but owners and times of directories: those that no entry names have none. */
function treeOf(root: string): string[] {
  return describeTree(root).filter((line) => !line.startsWith(". ")).map((
    line,
  ) => / 4\d{4} /.test(line) ? line.split(" ").slice(0, 2).join(" ") : line);
}

/** What another program makes of an archive; nothing where it fails. */
function unpacked(
  program: string,
  archive: string,
  target: string,
): string[] | undefined {
  mkdirSync(target);
  const all = program === "tar"
    ? ["--xattrs", "--xattrs-include=*", "--acls"]
    : [];
  const { status } = spawnSync(
    program,
    ["-C", target, ...all, "-xpf", archive],
    {
      env: { PATH: Deno.env.get("PATH")!, LC_ALL: "C.UTF-8" },
    },
  );
  return status === 0 ? treeOf(target) : undefined;
}

/** What an import makes of it, restored; or why it is refused. */
async function imported(
  archive: string,
  target: string,
): Promise<string[] | string> {
  const snapshots = await makeMemorySnapshots();
  const pieces = inPieces(readFileSync(archive), 99_991);
  try {
    const { record } = await importTar(snapshots, pieces);
    const { errors } = await restore(snapshots, record, target);
    deepStrictEqual(errors, []);
    return treeOf(target);
  } catch (error) {
    const { name, message } = error as Error;
    match(name, /^(ArchiveSyntaxError|ImportError)$/);
    strictEqual((await snapshots.records()).length, 0);
    return message;
  } finally {
    await snapshots[Symbol.asyncDispose]();
  }
}

/** Compares the three, in the words of the table. */
async function compared(archive: string, folder: string): Promise<string> {
  mkdirSync(folder);
  const own = await imported(archive, `${folder}/own`);
  const others = ["tar", "bsdtar"].map((program) => {
    const tree = unpacked(program, archive, `${folder}/${program}`);
    if (tree === undefined) return `${program} fails`;
    if (typeof own === "string") return `${program} unpacks`;
    const isSame = JSON.stringify(own) === JSON.stringify(tree);
    return `${program} ${isSame ? "same" : "other"}`;
  });
  const result = others.join(", ");
  return typeof own === "string" ? `refused: ${own}; ${result}` : result;
}

Deno.test({
  name:
    "archives of Go and Python are what GNU tar and bsdtar unpack, or refused",
  ignore: !isRoot || lacksDebian(),
  async fn() {
    using folder = new TestFolder();
    const archives: string[] = [];
    for (const { package: name, path } of [GO, PYTHON]) {
      unpackPackage(name, folder.path, `./${path}`);
      for (const file of readdirSync(folder.at(path)).sort()) {
        if (file.endsWith(".tar")) archives.push(folder.at(`${path}/${file}`));
      }
    }
    strictEqual(archives.length, 44);
    const large: string[] = [], wrong: string[] = [];
    for (const archive of archives) {
      const name = archive.slice(archive.lastIndexOf("/") + 1);
      // Of 16 and 60 GB: nobody reads what they hold.
      if (/-big/.test(name)) {
        large.push(`${name}: ${await sizeOf(archive)}`);
        continue;
      }
      const found = await compared(archive, folder.at(name));
      const [start, end] = (DIFFERENCES[name] ?? "tar same, bsdtar same")
        .split("; ");
      const isSaid = end === undefined
        ? found === start
        : found.endsWith(end) &&
          found.includes(start.slice("refused: ".length));
      if (!isSaid) wrong.push(`${name}: ${found}`);
    }
    // The same file in the ways of GNU tar and of pax; the others lack their content.
    deepStrictEqual(wrong, []);
    deepStrictEqual(large, [
      "gnu-sparse-big.tar: 60000000000",
      "pax-sparse-big.tar: 60000000000",
      "writer-big-long.tar: ends early",
      "writer-big.tar: ends early",
    ]);
  },
});

/** How many bytes an archive holds, or that it ends early. */
async function sizeOf(archive: string): Promise<string> {
  const snapshots = await makeMemorySnapshots();
  try {
    const { totals } = await importTar(
      snapshots,
      inPieces(readFileSync(archive)),
    );
    return `${totals.byteCount}`;
  } catch (error) {
    match((error as Error).message, /as the archive ends in it/);
    return "ends early";
  } finally {
    await snapshots[Symbol.asyncDispose]();
  }
}
