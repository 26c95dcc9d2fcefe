// What goes wrong on real connections.
import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreError } from "../errors.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { nodeListener, serveStore } from "../serve/mod.ts";
import { isTransient } from "../wrap/remote_error.ts";
import { openHttpStore } from "./http_store.ts";

const HELLO = JSON.stringify({
  protocol: 1,
  right: "prune",
  bodySizeMax: 1 << 24,
});

/** A server that greets, and answers everything else with these words. */
async function speaking(
  words: string,
  andThen: (socket: Socket) => void,
  test: (url: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      if (data.includes("~hello")) {
        socket.write(
          `HTTP/1.1 200 OK\r\nsnap-protocol: 1\r\ncontent-length: ${HELLO.length}\r\n\r\n${HELLO}`,
        );
      } else socket.write(words, () => andThen(socket));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await test(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    );
  } finally {
    sockets.forEach((socket) => socket.destroy());
    server.close();
    await once(server, "close");
  }
}

const HEAD =
  "HTTP/1.1 200 OK\r\nsnap-protocol: 1\r\ncontent-length: 100\r\n\r\n";

Deno.test("a server that stops in the middle is given up after a while", async () => {
  for (const words of ["", HEAD, `${HEAD}snap`]) {
    await speaking(words, () => {}, async (url) => {
      const store = await openHttpStore(url, { timeoutMs: 1000 });
      await rejects(store.read("packs/ab/one"), {
        code: "ETIMEDOUT",
        message:
          /^Cannot read packs\/ab\/one: 127.0.0.1:\d+ sent nothing for 1 s/,
      });
    });
  }
});

Deno.test("a server that breaks off in the middle is an error that may be repeated", async () => {
  for (const words of ["", "HTTP/1.1 2", HEAD, `${HEAD}snap`]) {
    for (const end of ["end", "resetAndDestroy"] as const) {
      await speaking(words, (socket) => socket[end](), async (url) => {
        const store = await openHttpStore(url);
        await rejects(store.read("packs/ab/one"), (error) => {
          if (!(error instanceof StoreError)) throw error;
          strictEqual(isTransient(error), true, `${error.cause}`);
          return true;
        });
      });
    }
  }
});

Deno.test("a signal ends a request at once, with its reason", async () => {
  await speaking(`${HEAD}snap`, () => {}, async (url) => {
    const store = await openHttpStore(url);
    const stop = new AbortController();
    const reason = new Error("enough");
    const read = store.read("packs/ab/one", { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 20);
    await rejects(read, reason);
  });
});

Deno.test("a host that is not there, or has no name, is said", async () => {
  let gone = "";
  await speaking("", () => {}, (url) => Promise.resolve(void (gone = url)));
  const { host } = new URL(gone);
  await rejects(openHttpStore(gone), {
    code: "ECONNREFUSED",
    message: `Cannot open ${gone}: ${host} takes no connection (ECONNREFUSED)`,
  });
  await rejects(openHttpStore("http://store.invalid/"), (error: StoreError) => {
    match(error.code, /^(ENOTFOUND|EAI_AGAIN)$/);
    match(error.message, /store.invalid has no address/);
    return true;
  });
  await rejects(openHttpStore("http://127.0.0.1:1/"), { code: "BADPORT" });
});

Deno.test("a certificate of an authority in the place of that of a server is told in words", async () => {
  const cause = new TypeError(
    "client error (Connect): invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
  );
  await rejects(
    openHttpStore("https://host/", { fetch: () => Promise.reject(cause) }),
    {
      code: "TLS",
      message:
        "Cannot open https://host/: the certificate or the encryption of host does not fit: it is made for an authority, and not for a server",
    },
  );
});

/** A certificate for a name, signed by an authority of its own. */
function certify(
  folder: string,
  name: string,
): { ca: string; cert: string; key: string } {
  const at = (file: string) => join(folder, file);
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync("openssl", args);
    if (status !== 0) throw new Error(String(stderr));
  };
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
  ];
  openssl(
    "req",
    "-x509",
    ...key,
    "-subj",
    "/CN=Test CA",
    "-days",
    "2",
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.pem"),
  );
  openssl(
    "req",
    ...key,
    "-subj",
    `/CN=${name}`,
    "-keyout",
    at("key.pem"),
    "-out",
    at("csr.pem"),
  );
  writeFileSync(
    at("ext"),
    `subjectAltName=DNS:${name}\nbasicConstraints=CA:FALSE\n`,
  );
  openssl(
    "x509",
    "-req",
    "-in",
    at("csr.pem"),
    "-CA",
    at("ca.pem"),
    "-CAkey",
    at("ca.key"),
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    at("ext"),
    "-out",
    at("cert.pem"),
  );
  const read = (file: string) => readFileSync(at(file), "utf8");
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

Deno.test("a certificate that does not fit is told, one that fits serves", async () => {
  if (spawnSync("openssl", ["version"]).status !== 0) {
    console.warn("No openssl: skipped");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "snap-tls-"));
  const { ca, cert, key } = certify(folder, "localhost");
  rmSync(folder, { recursive: true });
  const handler = serveStore(new MemoryStore(), {
    access: { loopback: "prune" },
  });
  const server = createTlsServer({ cert, key }, nodeListener(handler)).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await rejects(openHttpStore(`https://localhost:${port}/`), {
      code: "TLS",
      message: new RegExp(
        `^Cannot open https://localhost:${port}/: the certificate or the encryption of localhost:${port} does not fit: `,
      ),
    });
    if ("createHttpClient" in Deno) {
      const client = Deno.createHttpClient({ caCerts: [ca] });
      const trusting = {
        fetch: (url: string, init: RequestInit) =>
          fetch(url, { ...init, client }),
      };
      // A right authority, and another name.
      const other = openHttpStore(`https://127.0.0.1:${port}/`, trusting);
      await rejects(other, { code: "TLS" });
      const store = await openHttpStore(`https://localhost:${port}/`, trusting);
      await store.create("index/one", new Uint8Array([1, 2]));
      deepStrictEqual([...await store.read("index/one")], [1, 2]);
      client.close();
    }
    // Not encrypted where it should be, and the other way round.
    await rejects(openHttpStore(`http://localhost:${port}/`), StoreError);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  await speaking("", () => {}, async (url) => {
    const encrypted = url.replace("http:", "https:");
    await rejects(openHttpStore(encrypted, { timeoutMs: 500 }), StoreError);
  });
});
