import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { once } from "node:events";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { MemoryStore } from "../memory/memory_store.ts";
import { serveStore } from "./serve_store.ts";
import type { AccessLine } from "./options.ts";
import { listen } from "./testdata/listen.ts";

/** Sends bytes as they are, and returns all that comes back. */
async function say(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(text);
  const chunks: Uint8Array[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

Deno.test("nodeListener hands requests on as they are", async () => {
  const seen: [string, string, string | null][] = [];
  await using server = await listen(async (request) => {
    const { method, url, headers } = request;
    seen.push([method, new URL(url).pathname, headers.get("accept-encoding")]);
    return new Response(await request.text(), { status: 201 });
  });
  const init = { headers: { "accept-encoding": "identity" } };
  const put = await fetch(`${server.url}a/%254d`, {
    ...init,
    method: "PUT",
    body: "hello",
  });
  deepStrictEqual([put.status, await put.text()], [201, "hello"]);
  const get = await fetch(server.url, init);
  deepStrictEqual([get.status, await get.text()], [201, ""]);
  deepStrictEqual(seen, [
    ["PUT", "/a/%254d", "identity"],
    ["GET", "/", "identity"],
  ]);
});

Deno.test("nodeListener answers what is no request with 400", async () => {
  await using server = await listen(() => Promise.resolve(new Response("")));
  const lines = "host: localhost\r\nconnection: close\r\n\r\n";
  for (const target of ["//other.example/x", "*", "http://other.example/"]) {
    const said = await say(
      server.url,
      `OPTIONS ${target} HTTP/1.1\r\n${lines}`,
    );
    match(said, /^HTTP\/1.1 400 /, target);
  }
  for (const host of ["a b@c/d", "localhost/x", "me@localhost", "", "[x]"]) {
    const said = await say(
      server.url,
      `GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    match(said, /^HTTP\/1.1 400 /, host);
  }
});

Deno.test("nodeListener lets who sends too much know", async () => {
  const handler = serveStore(new MemoryStore(), {
    access: { loopback: "append" },
    bodySizeMax: 1024 * 1024,
  });
  await using server = await listen(handler);
  const headers = { "if-none-match": "*" };
  for (let i = 0; i < 3; i++) {
    const body = new Uint8Array(8 * 1024 * 1024);
    const put = await fetch(`${server.url}index/a`, {
      method: "PUT",
      headers,
      body,
    });
    strictEqual(put.status, 413);
    await put.body?.cancel();
  }
  const body = new Uint8Array(10);
  const put = await fetch(`${server.url}index/a`, {
    method: "PUT",
    headers,
    body,
  });
  strictEqual(put.status, 201);
  await put.body?.cancel();
});

Deno.test("nodeListener gives up a body that nobody takes any more", async () => {
  const store = new MemoryStore();
  await store.create("packs/ab/one", new Uint8Array(64 * 1024 * 1024));
  const line = Promise.withResolvers<AccessLine>();
  const handler = serveStore(store, {
    access: { loopback: "read" },
    onAccess: line.resolve,
  });
  await using server = await listen(handler);
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write("GET /packs/ab/one HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await once(socket, "data");
  socket.destroy();
  const { status, bytesOut } = await line.promise;
  strictEqual(status, 200);
  strictEqual(bytesOut < 64 * 1024 * 1024, true);
});

Deno.test("nodeListener survives a handler that fails", async () => {
  let count = 0;
  await using server = await listen(() => {
    if (++count === 1) throw new Error("Broken");
    return Promise.resolve(new Response("fine"));
  });
  await fetch(server.url).then(() => strictEqual(1, 0), () => {});
  strictEqual(await (await fetch(server.url)).text(), "fine");
});
