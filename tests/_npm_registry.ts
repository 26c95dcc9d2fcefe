// A registry like that of npm on loopback: takes what `npm publish` sends, and serves it.

/** What npm knows of a package, as far as it is used here. */
interface Packument {
  readonly versions: Record<string, { dist: { tarball: string } }>;
  readonly "dist-tags": Record<string, string>;
  readonly _attachments?: Record<string, { readonly data: string }>;
}

/** A registry of one scope that runs until the end of its block. */
export class NpmRegistry implements AsyncDisposable {
  readonly #packages = new Map<string, Packument>();
  readonly #tarballs = new Map<string, Uint8Array>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  /** Says in an `.npmrc` that a scope is here, and nothing else. */
  settings(scope: string): string {
    const { port } = this.#server.addr;
    return `${scope}:registry=http://127.0.0.1:${port}/\n` +
      `//127.0.0.1:${port}/:_authToken=any\n`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
    if (request.method === "PUT") {
      this.#publish(path, await request.json());
      return Response.json({ ok: true });
    }
    const tarball = this.#tarballs.get(path);
    if (tarball !== undefined) return new Response(tarball as BodyInit);
    const found = this.#packages.get(path);
    return found === undefined
      ? Response.json({ error: "not found" }, { status: 404 })
      : Response.json(found);
  }

  #publish(name: string, { _attachments, ...packument }: Packument): void {
    for (const [file, { data }] of Object.entries(_attachments ?? {})) {
      const path = `${name}/-/${file}`;
      this.#tarballs.set(path, Uint8Array.fromBase64(data));
      for (const { dist } of Object.values(packument.versions)) {
        dist.tarball = `http://127.0.0.1:${this.#server.addr.port}/${path}`;
      }
    }
    this.#packages.set(name, packument);
  }
}
