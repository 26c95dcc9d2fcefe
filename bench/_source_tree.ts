// The tree "source", made of numbers: a program with the packages it depends on,
// some of them there twice.
//
// It stands for a real tree of 20,591 files and 374 MB. What programs that store
// directories made of that one and make of this one, in MB:
//
//          restic 0.14  borg 1.2, LZ4  casync 2  tar, zstd -1
//   real           113            141       122           139
//   this           111            142       125           133
//
// Beside it, by _survey.ts, three trees that were at hand: 24 packages from npm with
// all they need, a Python with its packages, and a cloud provider's tools:
//
//                                        this     npm  Python  tools
//   median of sizes, bytes               2964     880    5242   2732
//   ninetieth of hundred, bytes         20176   10117   37829  20509
//   in files of 100 KB and more, %         64      76      48     52
//   copies of other files, % of bytes      21       2       9      0
//                         % of files       24      15      22      5
//   does not compress, % of bytes          13       0       1      0
//   each file alone, LZ4                 2.21    2.35    2.02   3.06
//                    zstd 1              2.77    3.13    2.64   4.10
//                    zstd 3              2.83    3.42    2.82   4.36
//   files in bundles of 256 KiB, zstd 3  3.51    4.61    3.88   5.25
//
// The shares of copies and of what does not compress are those that explain the four
// figures above. By kind, each file alone, LZ4 and zstd 3, here and in npm's packages:
// scripts to 32 KB 2.6 and 3.9 (2.2 and 3.1), in bundles of 256 KiB with zstd 3 4.9 (4.8);
// scripts to 256 KB 3.4 and 5.0 (2.8 and 4.1), larger ones 3.4 and 5.1 (3.0 and 4.6);
// source maps 2.9 and 4.5 (2.6 and 4.0); machine code 2.0 and 2.7 (2.1 and 2.9).
import { Prng } from "../tests/_prng.ts";
import { ContentMaker, makeWord, type Repeats } from "./_content.ts";

const SEED = 20_591;
const LICENSE_COUNT = 14;
const BUNDLE_SIZE_MAX = 2_000_000;
const BINARY_SIZE_MAX = 8_000_000;

/** How many packages stand a second time below a package that needs them. */
const VENDORED_SHARE = 0.2;

const TEXT_REPEATS: Repeats = { copies: 0.24, phrases: 0.12, idioms: 0.08 };

/** The size of the tree. */
export interface SourceTreeOptions {
  /** The number of files. @default {20591} */
  readonly fileCount?: number;
  /** The sum of their sizes. @default {374000000} */
  readonly byteCount?: number;
}

/** What fills a file. */
type Fill = "text" | "minified" | "map" | "code" | "dense";

/** A kind of file: how many of hundred, the median of their sizes, and their spread. */
interface Kind {
  readonly extension: string;
  readonly share: number;
  readonly median: number;
  readonly spread: number;
  readonly fill: Fill;
}

/** The files that every package has some of. */
const KINDS: readonly Kind[] = [
  { extension: "js", share: 34, median: 2300, spread: 1.35, fill: "text" },
  { extension: "d.ts", share: 20, median: 1000, spread: 1.3, fill: "text" },
  { extension: "ts", share: 12, median: 3200, spread: 1.2, fill: "text" },
  { extension: "js.map", share: 10, median: 3400, spread: 1.2, fill: "map" },
  { extension: "json", share: 6, median: 900, spread: 1.2, fill: "text" },
  { extension: "md", share: 5, median: 3400, spread: 1.1, fill: "text" },
  { extension: "py", share: 5, median: 4800, spread: 1.3, fill: "text" },
  { extension: "css", share: 4, median: 2800, spread: 1.3, fill: "text" },
  { extension: "png", share: 3, median: 7000, spread: 1.5, fill: "dense" },
  { extension: "sh", share: 1, median: 1300, spread: 1, fill: "text" },
];

/** The large files that some packages have; shares are of hundred packages. */
const LARGE: readonly Kind[] = [
  {
    extension: "min.js",
    share: 24,
    median: 1.1e5,
    spread: 1,
    fill: "minified",
  },
  { extension: "min.js.map", share: 16, median: 2e5, spread: 1, fill: "map" },
  { extension: "node", share: 4, median: 5e5, spread: 0.9, fill: "code" },
  { extension: "tgz", share: 5, median: 2.2e5, spread: 1.1, fill: "dense" },
];

/** A file of a package that is planned. */
interface PlannedFile {
  readonly name: string;
  readonly fill: Fill;
  readonly size: number;
  /** Its licence, where it is the text of one. */
  readonly license?: number;
}

/** A package that is planned: files of its own, or those of an earlier one. */
interface PlannedPackage {
  readonly path: string;
  readonly files: readonly PlannedFile[];
  readonly original: PlannedPackage | undefined;
}

/** Makes a tree like a program's sources with its dependencies. */
export function makeSourceTree(
  root: string,
  options?: SourceTreeOptions,
): void {
  const { fileCount = 20_591, byteCount = 374_000_000 } = options ?? {};
  const prng = new Prng(SEED);
  const licenses = Array.from(
    { length: LICENSE_COUNT },
    () => new Uint8Array(1000 + prng.below(prng.below(11_000) + 1)),
  );
  const packages = planPackages(prng, fileCount, licenses);
  const scale = scaleOf(packages, byteCount);
  const maker = new ContentMaker(prng);
  for (const license of licenses) maker.fillText(license, { copies: 0.05 });
  for (const one of packages) {
    maker.changeTopic();
    for (const file of one.files) {
      const path = `${root}/${one.path}/${file.name}`;
      makeFolderOf(path);
      if (one.original !== undefined) {
        Deno.copyFileSync(`${root}/${one.original.path}/${file.name}`, path);
        continue;
      }
      const bytes = file.license === undefined
        ? fill(maker, file.fill, Math.round(file.size * scale))
        : licenses[file.license];
      const mode = /\.(sh|node)$/.test(path) ? 0o755 : 0o644;
      Deno.writeFileSync(path, bytes, { mode });
      if (prng.below(100) === 0) Deno.symlinkSync(nameOf(path), `${path}.link`);
    }
  }
}

/** Plans packages until there are enough files, some of them below others. */
function planPackages(
  prng: Prng,
  fileCount: number,
  licenses: readonly Uint8Array[],
): PlannedPackage[] {
  const packages: PlannedPackage[] = [];
  let left = fileCount;
  while (left > 0) {
    const number = packages.length;
    const name = `${makeWord(prng)}-${number.toString(36)}`;
    if (number > 10 && prng.unit() < VENDORED_SHARE) {
      const original = prng.pick(packages);
      const owner = prng.pick(packages).path.split("/node_modules/")
        .slice(0, 3).join("/node_modules/");
      const path = `${owner}/node_modules/${name}`;
      const files = original.files.slice(0, left);
      packages.push({ path, files, original: original.original ?? original });
      left -= files.length;
      continue;
    }
    const isOwn = prng.below(5) === 0;
    const path = isOwn ? `src/${name}` : `node_modules/${name}`;
    const files = planFiles(prng, licenses).slice(0, left);
    packages.push({ path, files, original: undefined });
    left -= files.length;
  }
  return packages;
}

function planFiles(
  prng: Prng,
  licenses: readonly Uint8Array[],
): PlannedFile[] {
  const license = prng.below(licenses.length);
  const { length } = licenses[license];
  const files: PlannedFile[] = [
    { name: "package.json", fill: "text", size: logNormal(prng, 1100, 0.6) },
    { name: "LICENSE", fill: "text", size: length, license },
    { name: "README.md", fill: "text", size: logNormal(prng, 3800, 1) },
  ];
  const folders = ["", "lib/", "lib/", "dist/", "types/"];
  const count = Math.min(900, logNormal(prng, 7, 1.15));
  for (let i = 3; i <= count / 12; i++) {
    folders.push(`${prng.pick(folders)}${makeWord(prng)}/`);
  }
  for (let i = 0; i < count; i++) {
    const kind = pickKind(prng);
    const name = `${prng.pick(folders)}${makeWord(prng)}${i}.${kind.extension}`;
    const size = logNormal(prng, kind.median, kind.spread);
    files.push({
      name,
      fill: kind.fill,
      size: Math.min(size, BUNDLE_SIZE_MAX),
    });
  }
  for (const { extension, share, median, spread, fill } of LARGE) {
    if (prng.unit() * 100 >= share) continue;
    const sizeMax = fill === "code" || fill === "dense"
      ? BINARY_SIZE_MAX
      : BUNDLE_SIZE_MAX;
    const size = Math.min(sizeMax, logNormal(prng, median, spread));
    files.push({ name: `dist/bundle.${extension}`, fill, size });
  }
  return files;
}

function pickKind(prng: Prng): Kind {
  let rest = prng.below(100);
  for (const kind of KINDS) {
    rest -= kind.share;
    if (rest < 0) return kind;
  }
  return KINDS[0];
}

/** Returns what the sizes are multiplied with to add up to `byteCount`; licences are as they are. */
function scaleOf(
  packages: readonly PlannedPackage[],
  byteCount: number,
): number {
  let sum = 0;
  let fixed = 0;
  for (const { files } of packages) {
    for (const { size, license } of files) {
      if (license === undefined) sum += size;
      else fixed += size;
    }
  }
  return Math.max(0.01, (byteCount - fixed) / sum);
}

function fill(maker: ContentMaker, kind: Fill, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  switch (kind) {
    case "text":
      maker.fillText(bytes, TEXT_REPEATS);
      break;
    case "minified":
      maker.fillMinified(bytes);
      break;
    case "map":
      maker.fillSourceMap(bytes);
      break;
    case "code":
      maker.fillBinary(bytes);
      break;
    case "dense":
      maker.fillRandom(bytes);
  }
  return bytes;
}

function makeFolderOf(path: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function logNormal(prng: Prng, median: number, spread: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - prng.unit())) *
    Math.cos(2 * Math.PI * prng.unit());
  return Math.ceil(median * Math.exp(spread * normal));
}
