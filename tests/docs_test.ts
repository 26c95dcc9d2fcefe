// `deno task docs`: the guides and the reference as static pages.
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { brokenLinks } from "../_tools/html_links.ts";
import { readPackages, ROOT } from "../_tools/workspace.ts";
import { Chromium, chromiumAbsent } from "./_chromium.ts";
import { TemporaryFolder } from "./_snapshots.ts";

/** Opens each page in a frame as wide as a phone, then searches in the first one. */
const PHONE = `<!DOCTYPE html><body><script type="module">
const say = (text) => document.body.append(text + "\\n");
const pages = ["index.html", "docs/cli.html", "docs/STORES.html", "api/index.html",
  "api/save/index.html", "examples/save_and_diff.ts.html", "docs/guides/from_borg.html"];
const frames = await Promise.all(pages.map((page) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.style = "width: 360px; height: 700px; border: 0";
  frame.src = page;
  frame.onload = () => resolve(frame);
  document.body.append(frame);
})));
for (const { contentDocument: { documentElement }, src } of frames) {
  if (documentElement.scrollWidth > 360) say("wide: " + src);
}
const { contentDocument: page, contentWindow } = frames[1];
const found = page.querySelector("#found");
contentWindow.onerror = (message) => say("error: " + message);
new MutationObserver(() => {
  say("found: " + found.querySelector("a")?.href);
  document.body.dataset.state = "ready";
}).observe(found, { childList: true });
const input = page.querySelector("#search");
input.value = "testStore";
input.dispatchEvent(new contentWindow.Event("input"));
// A search that is broken ends the test, too.
setTimeout(() => document.body.dataset.state = "ready", 10_000);
</script>`;

const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
};

async function lookInBrowser(site: string, profile: string): Promise<string> {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const path = site + new URL(request.url).pathname;
      if (!existsSync(path)) return new Response(null, { status: 404 });
      const type = TYPES[extname(path)];
      return new Response(readFileSync(path), {
        headers: { "content-type": type },
      });
    },
  );
  await using browser = await Chromium.start(profile);
  const html = await browser.open(
    `http://127.0.0.1:${server.addr.port}/phone.html`,
  );
  await server.shutdown();
  return html;
}

Deno.test("docs: the task renders guides and reference, and every link leads somewhere", async () => {
  using folder = new TemporaryFolder();
  const site = folder.join("site");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "docs", site],
    cwd: ROOT,
    stdout: "null",
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  const page = (path: string): string =>
    readFileSync(`${site}/${path}`, "utf8");
  match(page("index.html"), /<h1 id="snap">snap<\/h1>/);
  match(page("docs/FORMAT.html"), /<h2 id="attribute-page">Attribute page</);
  match(page("docs/FORMAT.html"), /href="reader.py.html"/);
  match(page("examples/index.html"), /href="b3sum.ts.html"/);
  match(
    page("examples/b3sum.ts.html"),
    /<span class="hljs-keyword">from<\/span> <span class="hljs-string">&quot;@snap\/hash/,
  );
  const reference = page("api/index.html");
  for (const { folder, name } of readPackages()) {
    ok(existsSync(`${site}/${folder}/index.html`), folder);
    match(reference, new RegExp(`<h2 id="${folder}"><a href="[^"]+">${name}<`));
  }
  match(reference, /href="store\/testing\/index.html#testStore"/);
  match(page("api/save/index.html"), /<h2 id="save">save /);
  match(
    page("api/save/index.html"),
    /<a href="..\/snapshot\/index.html#Snapshots">Snapshots<\/a>/,
  );
  match(page("search_index.js"), /\["testStore","api\/store\/testing/);
  match(page("style.css"), /color-scheme: light dark/);
  if (chromiumAbsent()) return console.warn("No browser: not looked at in one");
  writeFileSync(`${site}/phone.html`, PHONE);
  const seen = await lookInBrowser(site, folder.join("profile"));
  doesNotMatch(seen, /^(wide|error): .*/m);
  match(seen, /found: .*\/api\/store\/testing\/index.html#testStore/);
});

Deno.test("docs: links that lead nowhere are found", () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("sub"));
  const write = (path: string, html: string): void =>
    writeFileSync(folder.join(path), html);
  write("a.html", `<a id="one" href="sub/b.html#two">x</a> href="not a link"`);
  write(
    "sub/b.html",
    `<p id="two"><a class="x" href="../a.html#one">x</a>
     <a href="https://example.org/gone">x</a> <a href="#two">x</a>
     <a href="../c&#x2F;d.html">x</a> <a href="#three">x</a>
     <a href="../a.html#none">x</a> <a href="..">x</a> <img src="i.png">`,
  );
  deepEqual(brokenLinks(folder.path), [
    "sub/b.html links to #three",
    "sub/b.html links to ..",
    "sub/b.html links to ../a.html#none",
    "sub/b.html links to ../c/d.html",
    "sub/b.html links to i.png",
  ]);
  write("index.html", "");
  equal(brokenLinks(folder.path).length, 4);
});
