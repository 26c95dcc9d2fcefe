import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type BytesRequest, fetchBytes } from "./fetch_bytes.ts";
import { withDeadline } from "./mod.ts";
import { FakeTiming } from "./testdata/fake_timing.ts";

async function served(
  answer: RequestListener,
  use: (request: BytesRequest, timing: FakeTiming) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const timing = new FakeTiming();
  try {
    await use({
      action: "read",
      subject: "index/one",
      method: "GET",
      url: `http://127.0.0.1:${port}/x`,
      sizeMax: 1000,
      timing,
    }, timing);
    strictEqual(timing.alarmCount, 0);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("fetchBytes reads an answer, and of a long one no more than is wanted", async () => {
  await served(
    (_, response) => response.end("x".repeat(1_000_000)),
    async (request) => {
      const whole = await fetchBytes({ ...request, sizeMax: 1_000_000 });
      deepStrictEqual([whole.bytes.length, whole.isCut], [1_000_000, false]);
      const cut = await fetchBytes(request);
      deepStrictEqual([cut.bytes.length, cut.isCut], [1000, true]);
    },
  );
});

Deno.test("fetchBytes reads a body of a size that is told into its place, and any other in pieces", async () => {
  const text = "0123456789".repeat(50_000);
  const sizes: (string | undefined)[] = [`${text.length}`, undefined];
  for (const size of sizes) {
    await served((_, response) => {
      response.writeHead(
        200,
        size === undefined ? {} : {
          "content-length": size,
        },
      );
      for (let at = 0; at < text.length; at += 100_000) {
        response.write(text.slice(at, at + 100_000));
      }
      response.end();
    }, async (request) => {
      const { bytes } = await fetchBytes({ ...request, sizeMax: 600_000 });
      strictEqual(new TextDecoder().decode(bytes), text);
      strictEqual(bytes.buffer.byteLength, text.length);
    });
  }
});

Deno.test("fetchBytes makes no room for what is only said to come", async () => {
  await served((_, response) => {
    response.writeHead(200, { "content-length": `${2 ** 40}` });
    response.write("little", () => response.destroy());
  }, async (request) => {
    const asked = { ...request, sizeMax: Infinity };
    await rejects(fetchBytes(asked), { code: "ECONNRESET" });
  });
});

Deno.test("fetchBytes asks for bytes as they are, and sends no type of its own", async () => {
  await served((asked, response) => {
    const { "accept-encoding": encoding, "content-type": type } = asked.headers;
    asked.resume().on("end", () => response.end(`${encoding} ${type}`));
  }, async (request) => {
    const body = new Uint8Array(3);
    const { bytes } = await fetchBytes({ ...request, method: "PUT", body });
    strictEqual(new TextDecoder().decode(bytes), "identity undefined");
  });
});

Deno.test("fetchBytes follows no redirect, and reads little of an error", async () => {
  await served((_, response) => {
    response.writeHead(307, { location: "http://other.example/" });
    response.end("x".repeat(1_000_000));
  }, async (request) => {
    const answer = await fetchBytes(request);
    deepStrictEqual([answer.status, answer.bytes.length], [307, 64 * 1024]);
  });
});

Deno.test("fetchBytes notices an answer that ends before its end", async () => {
  await served((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  }, async (request) => {
    await rejects(fetchBytes(request), {
      name: "RemoteError",
      message: "Cannot read index/one: the connection has ended too early",
      isTransient: true,
      mayHaveHappened: true,
    });
  });
});

Deno.test("fetchBytes says what is wrong with the way to a server", async () => {
  const read = (name: string) =>
    readFileSync(new URL(`testdata/unknown.${name}.pem`, import.meta.url));
  const server = createTlsServer({ key: read("key"), cert: read("cert") });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const request = {
    action: "read",
    subject: "config/1",
    method: "GET",
  } as const;
  const cases = [
    [
      `https://127.0.0.1:${port}`,
      `the certificate of the server does not fit (127.0.0.1:${port})`,
      false,
    ],
    [
      `http://127.0.0.1:${port}`,
      "the connection has ended too early",
      true,
    ],
    [
      "http://127.0.0.1:9",
      "the runtime allows no requests to this port (127.0.0.1:9)",
      false,
    ],
    [
      "http://no-such-host.invalid",
      "the host cannot be found (no-such-host.invalid)",
      true,
    ],
  ] as const;
  for (const [url, reason, isTransient] of cases) {
    await rejects(fetchBytes({ ...request, url, sizeMax: 10 }), {
      message: `Cannot read config/1: ${reason}`,
      isTransient,
    });
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("fetchBytes gives a slow answer time, and a dead one none", async () => {
  let isDead = false;
  await served((_, response) => {
    response.write("some");
    if (!isDead) setTimeout(() => response.end("more"), 20);
  }, async (request, timing) => {
    const slow = { ...request, stallMs: 1000 };
    const answer = fetchBytes(slow);
    await new Promise((resolve) => setTimeout(resolve, 10));
    timing.pass(999);
    strictEqual((await answer).bytes.length, 8);
    isDead = true;
    const dead = fetchBytes(slow);
    setTimeout(() => timing.pass(1001), 20);
    await rejects(dead, {
      message: "Cannot read index/one: the server has stopped answering",
      code: "ETIMEDOUT",
      isTransient: true,
    });
  });
});

Deno.test("withDeadline begins anew whenever something happens", async () => {
  const timing = new FakeTiming();
  const makeError = () => new Error("late");
  const steps = async (progressMs: number[], end: number) => {
    const options = { ms: 100, makeError, timing };
    return await withDeadline(options, async (signal, progress) => {
      for (const ms of progressMs) {
        timing.pass(99);
        signal.throwIfAborted();
        progress(ms);
      }
      timing.pass(end);
      signal.throwIfAborted();
      await Promise.resolve();
      return "done";
    });
  };
  strictEqual(await steps([100, 100, 100], 99), "done");
  await rejects(steps([100, 100], 100), /late/);
  strictEqual(await steps([500], 499), "done");
  await rejects(steps([500], 500), /late/);
  await rejects(steps([50], 50), /late/);
  strictEqual(timing.alarmCount, 0);
});
