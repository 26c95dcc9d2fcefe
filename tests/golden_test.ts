// The golden stores: what version 1 of the format wrote is read for ever.
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash";
import { ObjectKind, PackRole } from "@snap/pack/object-kind";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { posix } from "@snap/posix/posix";
import { restore } from "@snap/snapshot/restore";
import { save } from "@snap/snapshot/save";
import type { Snapshots } from "@snap/snapshot/snapshots";
import { listTags, tagLog } from "@snap/snapshot/tags";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { type FileStore, openFileStore } from "@snap/store/file-store";
import {
  describeGolden,
  GOLDEN_CONTENTS,
  GOLDEN_FOLDER,
  GOLDEN_NAMES,
  GOLDEN_TAG,
  GOLDEN_XATTRS,
  goldenSums,
  setGoldenXattrs,
  ZEROS,
} from "./_golden.ts";
import { makeGolden } from "./_make_golden.ts";
import { makeMemorySnapshots, open, TemporaryFolder } from "./_snapshots.ts";

/** Every golden file, as `b3sum` lists them. None of these lines ever changes. */
const SUMS = `
41891fedc4a8c51af9fdde48673dbc34b7697c920ce5a0b77510b51af923c6df  manifest.txt
13ee87428591028c1b91baff16a2cd106b904adc33b5b419fc78756196a65816  none/config/1
0c08be14c9af64d2385cc4dce29d54c5801656d52122ab1bfce3c0824a201cc0  none/index/0c08be14c9af64d2385cc4dce29d54c5801656d52122ab1bfce3c0824a201cc0
888915e9b7f975a67c2b698c083ea09a5f1046d830e030a18938f070b69c0b94  none/index/888915e9b7f975a67c2b698c083ea09a5f1046d830e030a18938f070b69c0b94
97e8f9f4230cb101b0999fae1f9019cb4a822fa4478212ee749658c33426633d  none/packs/97/97e8f9f4230cb101b0999fae1f9019cb4a822fa4478212ee749658c33426633d
b96e55f9dd378f6f5eeddf94e2d58144e69e1fc0fc68753358302dd736b5bbf6  none/packs/b9/b96e55f9dd378f6f5eeddf94e2d58144e69e1fc0fc68753358302dd736b5bbf6
c4176d3de0567f6dfc0078fa455bd7eb09a042baa8749629db0b3271d2967ff5  none/packs/c4/c4176d3de0567f6dfc0078fa455bd7eb09a042baa8749629db0b3271d2967ff5
ef26feda4c4c6e82b91a27caa278059e635c6cebc9f81d195817698dbb622a95  none/packs/ef/ef26feda4c4c6e82b91a27caa278059e635c6cebc9f81d195817698dbb622a95
8f58aa3480089e622f504e5a4e878f010ddb688b54b25890551068aa38728e4a  none/snapshots/a085aa7dd39b64bbed89740b53e8fe1bfc8b33d9df40f4d692cdbb69acc3944d-8f58aa3480089e622f504e5a4e878f010ddb688b54b25890551068aa38728e4a
b1d1cc220bc595b8912f1d3590956a8333baeac6ee967c4d0e8f2911a4c9bbec  none/snapshots/a085aa7dd39b64bbed89740b53e8fe1bfc8b33d9df40f4d692cdbb69acc3944d-b1d1cc220bc595b8912f1d3590956a8333baeac6ee967c4d0e8f2911a4c9bbec
6741b2df5005e1218a250dea30a05fdc0a5493a5371efcde0a8646d5b69bc41c  none/tags/%4dain/1
a07bd23be25ce53192ff162eb69b74d1b991c6342f36c10c91b00792013de0cb  none/tags/%4dain/2
bbfa629e65b8ec34e853a5e64713ec90e4baf9dab27c4d5f27854a636166ae53  zstd/config/1
3ba7c0942b636081449a9c68ef1a479f5e12ad96e3e70608c700de7d8c6a9047  zstd/index/3ba7c0942b636081449a9c68ef1a479f5e12ad96e3e70608c700de7d8c6a9047
781fffc30fcf824de3cc99db5b7d3e1179688bf17b35b316dd46e8f7b0aea8ba  zstd/index/781fffc30fcf824de3cc99db5b7d3e1179688bf17b35b316dd46e8f7b0aea8ba
07abd79708006fed2448c86dbcda1b19021b03812f4bb2365102f750d84c9706  zstd/packs/07/07abd79708006fed2448c86dbcda1b19021b03812f4bb2365102f750d84c9706
8d3da78c2f1eb5f5dae6d2b8af1fa351cadc12600585e7e0ac6b4536fe0a4557  zstd/packs/8d/8d3da78c2f1eb5f5dae6d2b8af1fa351cadc12600585e7e0ac6b4536fe0a4557
9c531d5d454780b2c6ebde67e15c2caccb31886628538bb9274d4f19e741dc3e  zstd/packs/9c/9c531d5d454780b2c6ebde67e15c2caccb31886628538bb9274d4f19e741dc3e
a0e7809577f2f8e8513c6f2a889a460bcd91db846c96a8d6b56f83bb3b038a74  zstd/packs/a0/a0e7809577f2f8e8513c6f2a889a460bcd91db846c96a8d6b56f83bb3b038a74
5795c8ef2384d2105a10ee1d76af353c7f81a56d19fee5d544ffcbd6229c7bf7  zstd/snapshots/a085aa7dd39b64bbed89740b53e8fe1bfc8b33d9df40f4d692cdbb69acc3944d-5795c8ef2384d2105a10ee1d76af353c7f81a56d19fee5d544ffcbd6229c7bf7
cb257158f693886082a5911752db1cf8b9bb9d9f3e88db11f058bea2424b3099  zstd/snapshots/a085aa7dd39b64bbed89740b53e8fe1bfc8b33d9df40f4d692cdbb69acc3944d-cb257158f693886082a5911752db1cf8b9bb9d9f3e88db11f058bea2424b3099
28786771e11bb57f5c0c06a72687736ef727ddbf2e5bd2c23157efb35eca6702  zstd/tags/%4dain/1
ecb28f0287c30b1d2e76caaaff9b1298bfd120dc122bf1ca5940ca4d21ec71f6  zstd/tags/%4dain/2
`;

const MANIFEST = readFileSync(join(GOLDEN_FOLDER, "manifest.txt"), "utf8");

/** Opens a golden store where it lies: reading makes no file and no folder. */
async function openGolden(name: string): Promise<Snapshots<FileStore>> {
  return await open(await openFileStore(join(GOLDEN_FOLDER, name)));
}

/** A folder where extended attributes are kept, if there is one. */
function folderWithXattrs(): TemporaryFolder | undefined {
  if (posix === undefined) return undefined;
  for (const below of [undefined, tmpdir()]) {
    const folder = new TemporaryFolder(below);
    try {
      writeFileSync(folder.join("text"), "");
      setGoldenXattrs(folder.path, "text");
      return folder;
    } catch {
      folder[Symbol.dispose]();
    }
  }
  return undefined;
}

/** Whether directories can be made here that have all that the golden one has. */
function isFull(): boolean {
  using folder = folderWithXattrs();
  return folder !== undefined;
}

/** The lines of the first or second record, without what another disk has otherwise. */
function portableLines(text: string, number: number): string[] {
  const isRoot = posix!.geteuid() === 0;
  const lines = text.split(/^record .*\n/m)[number + 1].trimEnd().split("\n");
  return lines.filter((line) => /^( {2}(xattr user|holes)|\S)/.test(line))
    .map((line) => {
      const fields = line.split(" ");
      if (!isRoot && fields[0] !== "") fields.splice(4, 2);
      return fields.join(" ");
    });
}

function latin(path: string): Uint8Array {
  return Buffer.from(path, "latin1");
}

/** Reads the role out of the footer of a pack. */
function roleOf(path: string): number {
  const bytes = readFileSync(path);
  return bytes.readUInt32LE(bytes.length - 16);
}

/** Lists the data packs of a golden store, each with its id. */
function dataPacks(folder: string, name: string): string[] {
  return goldenSums(folder).filter((sum) => {
    const path = sum.slice(66);
    return path.startsWith(`${name}/packs/`) &&
      roleOf(join(folder, path)) === PackRole.data;
  });
}

Deno.test("golden files are those that version 1 wrote", () => {
  deepEqual(goldenSums(GOLDEN_FOLDER), SUMS.trim().split("\n"));
});

for (const name of GOLDEN_NAMES) {
  Deno.test(`golden store ${name} has the records, trees and pages of the manifest`, async () => {
    await using snapshots = await openGolden(name);
    equal(await describeGolden(snapshots), MANIFEST);
    const [second, first] = await snapshots.records();
    equal(first.tree, second.tree);
    notEqual(first.page, second.page);
    notEqual(first.record, second.record);
  });

  Deno.test(`golden store ${name} has the content of every file`, async () => {
    await using snapshots = await openGolden(name);
    for (const record of await snapshots.records()) {
      const view = await View.open(snapshots, record);
      for (const [path, bytes] of GOLDEN_CONTENTS) {
        const entry = await view.lookup(latin(path));
        ok(Buffer.from(bytes).equals(await view.read(entry!)), path);
      }
      const text = await view.lookup(latin("text"));
      const { xattrs } = text!.extras!;
      deepEqual(
        xattrs.map(({ name }) => Buffer.from(name).toString()),
        [...GOLDEN_XATTRS.keys()],
      );
      for (const [i, value] of [...GOLDEN_XATTRS.values()].entries()) {
        deepEqual(await view.readExtra(xattrs[i]), value);
      }
    }
  });

  Deno.test(`golden store ${name} gives ranges across its run of zeros`, async () => {
    await using snapshots = await openGolden(name);
    const [record] = await snapshots.records();
    const view = await View.open(snapshots, record);
    const entry = (await view.lookup(latin("large")))!;
    const bytes = GOLDEN_CONTENTS.get("large")!;
    const { start, end } = ZEROS;
    for (const offset of [0, start - 5000, start - 1, start, start + 5000]) {
      for (const to of [start + 5001, end - 1, end, end + 5000, 300_000]) {
        const read = await view.read(entry, { offset, length: to - offset });
        deepEqual(read, bytes.subarray(offset, to), `${offset} to ${to}`);
      }
    }
    const reader = await snapshots.reader();
    const recipe = RecipeNode.decode(
      await reader.readObject(entry.id, ObjectKind.recipe),
      wasmHasher,
    );
    equal(recipe.level, 0);
    ok(recipe.count > 3, `${recipe.count} rows`);
    const zeros = recipe.rowAt(start + 10_000);
    equal(recipe.rowKind(zeros), RecipeRowKind.zeros);
    ok(recipe.size(zeros) > 250_000);
  });

  Deno.test(`golden store ${name} has a tag with two entries`, async () => {
    await using snapshots = await openGolden(name);
    const [second, first] = await snapshots.records();
    const entryOf = (number: number, { tree, record, time }: typeof first) => ({
      number,
      time,
      name: { tree, record },
    });
    const log = await Array.fromAsync(tagLog(snapshots, GOLDEN_TAG));
    deepEqual(log.flat(), [entryOf(2, second), entryOf(1, first)]);
    const tag = { tag: GOLDEN_TAG, ...entryOf(2, second) };
    deepEqual(await listTags(snapshots), [tag]);
  });

  Deno.test(`golden store ${name} is sound`, async () => {
    await using snapshots = await openGolden(name);
    const report = await verify(snapshots, { data: true });
    deepEqual(report.damages, []);
    equal(report.damageCount, 0);
    equal(report.recordCount, 2);
    equal(report.packCount, 4);
    equal(report.missingPackCount + report.orphanPackCount, 0);
  });

  Deno.test({
    name: `golden store ${name} is restored to what it was saved from`,
    ignore: !isFull(),
    async fn() {
      using folder = folderWithXattrs()!;
      await using snapshots = await openGolden(name);
      const records = (await snapshots.records()).reverse();
      for (const [number, record] of records.entries()) {
        const target = folder.join(`${number}`);
        const { errors, fidelity } = await restore(snapshots, record, target);
        deepEqual(errors, []);
        equal(fidelity, "full");
        await using again = await makeMemorySnapshots();
        const saved = await save(again, target);
        equal(saved.id, record.tree);
        deepEqual(saved.record!.totals, record.totals);
        deepEqual(
          portableLines(await describeGolden(again), 0),
          portableLines(MANIFEST, number),
        );
        const [text, hard] = ["text", "dir/hard"].map((path) =>
          statSync(join(target, path))
        );
        deepEqual([text.ino, text.nlink], [hard.ino, 2]);
      }
    },
  });
}

Deno.test({
  name: "saving what the golden stores hold writes the golden data packs",
  ignore: !isFull(),
  async fn() {
    using folder = folderWithXattrs()!;
    const to = folder.join("golden");
    mkdirSync(to);
    await makeGolden(to, folder.join("source"));
    equal(dataPacks(to, "none").length, 2);
    // A pack is named after its bytes; a new release of Zstandard may write others.
    deepEqual(dataPacks(to, "none"), dataPacks(GOLDEN_FOLDER, "none"));
    const text = readFileSync(join(to, "manifest.txt"), "utf8");
    for (const number of [0, 1]) {
      deepEqual(portableLines(text, number), portableLines(MANIFEST, number));
    }
  },
});

Deno.test("golden files are never made over others", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  await rejects(makeGolden(GOLDEN_FOLDER, source), /never made twice/);
});
