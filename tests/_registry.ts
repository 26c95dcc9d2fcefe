// A registry like jsr.io on loopback: takes what `deno publish` sends, and serves it.
import { createHash, randomUUID } from "node:crypto";
import { extname } from "node:path";
import { gunzipSync } from "node:zlib";

/** The content types by which Deno tells source from other files. */
const TYPES: Readonly<Record<string, string>> = {
  ".ts": "text/typescript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
const TAR_BLOCK_SIZE = 512;

/** One published version of a package. */
interface PublishedVersion {
  /** The files by their path, `/mod.ts`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What `VERSION_meta.json` says. */
  readonly meta: {
    readonly manifest: Record<string, { size: number; checksum: string }>;
    readonly exports: Readonly<Record<string, string>>;
  };
}

/** A registry that runs until the end of its block. Its packages live in memory. */
export class Registry implements AsyncDisposable {
  readonly #versions = new Map<string, PublishedVersion>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** The address, for `JSR_URL`. */
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly asked: string[] = [];

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** The packages that were published, as `@scope/name@version`. */
  get published(): string[] {
    return [...this.#versions.keys()].sort();
  }

  /** The files of a package, by their path. */
  files(name: string): ReadonlyMap<string, Uint8Array> {
    const version = this.#versions.get(name);
    if (version === undefined) throw new Error(`Cannot find ${name}`);
    return version.files;
  }

  /** Ends it; nothing answers at its address then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.asked.push(pathname);
    const api =
      /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/(.+))?$/
        .exec(pathname);
    if (api !== null) return await this.#answerPublisher(request, api);
    const read =
      /^\/(@[^/]+\/[^/]+)\/(?:meta\.json|([^/]+)_meta\.json|([^/]+)(\/.+))$/
        .exec(pathname);
    return read === null ? absent() : this.#answerReader(read);
  }

  /** What `deno publish` asks: is there the package, is there the version, take this one. */
  async #answerPublisher(
    request: Request,
    [, scope, name, version]: string[],
  ): Promise<Response> {
    if (version === undefined) return Response.json({ scope, name });
    const key = `@${scope}/${name}@${version}`;
    if (request.method !== "POST") {
      return this.#versions.has(key) ? Response.json({}) : absent();
    }
    const bytes = new Uint8Array(await request.arrayBuffer());
    this.#versions.set(key, versionOf(filesOf(gunzipSync(bytes))));
    return Response.json({ id: randomUUID(), status: "success", error: null });
  }

  /** What `deno run` asks: the versions, the files of a version, a file. */
  #answerReader([, name, listed, version, path]: string[]): Response {
    if (version !== undefined) {
      const bytes = this.#versions.get(`${name}@${version}`)?.files.get(path);
      if (bytes === undefined) return absent();
      const type = TYPES[extname(path)] ?? "application/octet-stream";
      const headers = { "content-type": type };
      return new Response(bytes as BodyInit, { headers });
    }
    if (listed !== undefined) {
      const found = this.#versions.get(`${name}@${listed}`);
      return found === undefined ? absent() : Response.json(found.meta);
    }
    const versions = this.published
      .filter((key) => key.startsWith(`${name}@`))
      .map((key) => key.slice(name.length + 1));
    if (versions.length === 0) return absent();
    const [scope, short] = name.slice(1).split("/");
    return Response.json({
      scope,
      name: short,
      latest: versions.at(-1),
      // Old, as Deno refuses what is younger than a day.
      versions: Object.fromEntries(
        versions.map((one) => [one, { createdAt: "2020-01-01T00:00:00Z" }]),
      ),
    });
  }
}

/** The words by which `deno publish` knows that a version is new. */
function absent(): Response {
  const body = { code: "packageVersionNotFound", message: "not found" };
  return Response.json(body, { status: 404 });
}

function versionOf(files: Map<string, Uint8Array>): PublishedVersion {
  const config = JSON.parse(new TextDecoder().decode(files.get("/deno.json")));
  const manifest = Object.fromEntries(Array.from(files, ([path, bytes]) => {
    const hash = createHash("sha256").update(bytes).digest("hex");
    return [path, { size: bytes.length, checksum: `sha256-${hash}` }];
  }));
  return { files, meta: { manifest, exports: config.exports } };
}

/** Takes the regular files out of a tar archive. */
function filesOf(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const decoder = new TextDecoder();
  for (let at = 0; tar[at] !== 0 && at < tar.length;) {
    const text = (offset: number, size: number): string =>
      decoder.decode(tar.subarray(at + offset, at + offset + size))
        .replace(/\0.*$/s, "");
    const size = parseInt(text(124, 12), 8);
    const path = [text(345, 155), text(0, 100)].filter((part) => part !== "")
      .join("/").replace(/^\.?\/*/, "/");
    const start = at + TAR_BLOCK_SIZE;
    if (/^0?$/.test(text(156, 1))) {
      files.set(path, tar.slice(start, start + size));
    }
    at = start + Math.ceil(size / TAR_BLOCK_SIZE) * TAR_BLOCK_SIZE;
  }
  return files;
}
