// What runs in a browser: no entry point of the list needs a module of Node, and a page shows files
// of a snapshot straight from a web server that knows nothing of stores.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { save } from "@snap/save";
import { openFileStore } from "@snap/store/file";
import { initStore } from "@snap/store/format";
import { writeListing } from "@snap/store/http";
import { ROOT } from "../_tools/workspace.ts";
import { Chromium, chromiumAbsent } from "./_chromium.ts";
import { Nginx, nginxAbsent } from "./_nginx.ts";
import { Prng } from "./_prng.ts";
import { denoFolder, runWell } from "./_run.ts";
import { open, TemporaryFolder } from "./_snapshots.ts";

/** The entry points that docs/BUNDLERS.md says run in a browser. */
const ENTRIES: readonly string[] = [
  ...readFileSync(`${ROOT}docs/BUNDLERS.md`, "utf8")
    .matchAll(/^\| `(@snap\/[a-z/-]+)`/gm),
].map(([, entry]) => entry);
/** An import of a module of Node, as the bundler leaves it. */
const NODE_IMPORT =
  /(?:^\s*(?:import|export)\b[^;"]*|\bimport\(|\brequire\()"(node:[^"]+)"/gm;

async function bundle(program: string, out: string): Promise<string> {
  const flags = ["bundle", "--quiet", "--platform", "browser", "-o", out];
  await runWell([Deno.execPath(), ...flags, program], {
    cwd: ROOT,
    env: { DENO_DIR: denoFolder() },
  });
  return readFileSync(out, "utf8");
}

Deno.test("entry points of the browser bundle without a module of Node", async () => {
  using folder = new TemporaryFolder(ROOT);
  ok(ENTRIES.length > 20, `${ENTRIES.length} entry points`);
  const found: string[] = [];
  const write = async (name: string, entries: readonly string[]) => {
    const path = folder.join(`${name}.ts`);
    const lines = entries.map((one, i) => `export * as m${i} from "${one}";`);
    writeFileSync(path, lines.join("\n"));
    const text = await bundle(path, folder.join(`${name}.js`));
    return [...text.matchAll(NODE_IMPORT)].map(([, module]) => module);
  };
  // Proof that one would be seen.
  ok((await write("proof", ["node:fs"])).length > 0);
  if ((await write("all", ENTRIES)).length === 0) return;
  for (const [i, entry] of ENTRIES.entries()) {
    const modules = await write(`one${i}`, [entry]);
    if (modules.length > 0) found.push(`${entry} needs ${modules.join()}`);
  }
  deepStrictEqual(found, []);
});

function textOf(page: string, id: string): string {
  return new RegExp(`id="${id}">([^]*?)</(?:h1|ul|pre|p)>`).exec(page)![1];
}

/** Changes a byte of each frame of the largest pack, and leaves its table alone. */
function damageContent(packs: string): void {
  const [{ path }] = filesBelow(packs).sort((a, b) => b.size - a.size);
  const bytes = readFileSync(path);
  const end = bytes.length - 4096;
  for (let at = 100; at < end; at += 7) bytes[at] ^= 0x55;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
}

function filesBelow(folder: string): { path: string; size: number }[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .map((name) => `${folder}/${name}`)
    .map((path) => ({ path, stat: statSync(path) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ path, stat }) => ({ path, size: stat.size }));
}

Deno.test({
  name: "a page in a browser lists and shows files from a plain web server",
  ignore: chromiumAbsent() || nginxAbsent(),
  async fn() {
    using folder = new TemporaryFolder();
    const www = folder.join("www"), source = folder.join("source");
    mkdirSync(`${source}/sub`, { recursive: true });
    mkdirSync(www);
    copyFileSync(`${ROOT}examples/browser/index.html`, `${www}/index.html`);
    await bundle("examples/browser/page.ts", `${www}/page.js`);
    writeFileSync(`${source}/hello.txt`, "Hello in a browser\n".repeat(1000));
    writeFileSync(`${source}/sub/noise`, new Prng(1).bytes(3_000_000));
    await using nginx = await Nginx.start(
      folder.join("nginx"),
      `root ${www}; types { text/html html; text/javascript js; }`,
    );
    await using browser = await Chromium.start(folder.join("profile"));
    for (const codec of ["zstd:3", "lz4", "none"]) {
      const name = codec.replace(":", "");
      const store = await openFileStore(`${www}/${name}`, { create: true });
      await initStore(store, { codec });
      await using snapshots = await open(store);
      const { id } = await save(snapshots, source);
      await writeListing(store);
      const url = `${nginx.url}index.html?store=${name}/#hello.txt`;
      const page = await browser.open(url);
      strictEqual(textOf(page, "problem"), "", codec);
      strictEqual(textOf(page, "title"), id);
      match(textOf(page, "files"), />hello\.txt \(19000\)</);
      match(textOf(page, "files"), />sub\/noise \(3000000\)</);
      match(textOf(page, "content"), /^(Hello in a browser\n){1000}$/);
      // Under another name, as the browser keeps what it has seen.
      renameSync(`${www}/${name}`, `${www}/damaged-${name}`);
      damageContent(`${www}/damaged-${name}/packs`);
      const damaged = await browser.open(
        url.replace("store=", "store=damaged-"),
      );
      strictEqual(textOf(damaged, "title"), id);
      strictEqual(textOf(damaged, "content"), "");
      match(textOf(damaged, "problem"), /^DamageError: /);
    }
  },
});

/** A page that shows a file, by code that compiles no WebAssembly. */
const PLAIN_PAGE = `
import { jsHasher as hasher } from "@snap/hash/js-hasher";
import { lz4Decoder as lz4 } from "@snap/pack/codecs";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { openHttpStore } from "@snap/store/http";

const show = (id: string, text: string): void => {
  document.getElementById(id)!.textContent = text;
};
try {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    show("problem", "WebAssembly is allowed");
  } catch { /* As the policy says. */ }
  const store = await openHttpStore(new URL("store/", location.href).href);
  const snapshots = await openSnapshots(store, { hasher, decoders: { lz4 } });
  const [record] = await snapshots.records();
  const view = await View.open(snapshots, record);
  show("title", view.root.id);
  const entry = await view.lookup("hello.txt");
  show("content", await new Response(await view.read(entry!)).text());
} catch (error) {
  show("problem", String(error));
}
document.body.dataset.state = "ready";
`;

Deno.test({
  name: "a page whose policy forbids WebAssembly reads a store by plain code",
  ignore: chromiumAbsent() || nginxAbsent(),
  async fn() {
    using folder = new TemporaryFolder();
    using program = new TemporaryFolder(ROOT);
    const www = folder.join("www"), source = folder.join("source");
    mkdirSync(source);
    mkdirSync(www);
    copyFileSync(`${ROOT}examples/browser/index.html`, `${www}/index.html`);
    writeFileSync(program.join("page.ts"), PLAIN_PAGE);
    await bundle(program.join("page.ts"), `${www}/page.js`);
    writeFileSync(`${source}/hello.txt`, "Hello in a browser\n".repeat(1000));
    writeFileSync(`${source}/noise`, new Prng(1).bytes(3_000_000));
    const store = await openFileStore(`${www}/store`, { create: true });
    await initStore(store, { codec: "lz4" });
    await using snapshots = await open(store);
    const { id } = await save(snapshots, source);
    await writeListing(store);
    await using nginx = await Nginx.start(
      folder.join("nginx"),
      `root ${www}; types { text/html html; text/javascript js; }
       add_header Content-Security-Policy "default-src 'self'";`,
    );
    await using browser = await Chromium.start(folder.join("profile"));
    const page = await browser.open(`${nginx.url}index.html`);
    strictEqual(textOf(page, "problem"), "");
    strictEqual(textOf(page, "title"), id);
    match(textOf(page, "content"), /^(Hello in a browser\n){1000}$/);
  },
});
