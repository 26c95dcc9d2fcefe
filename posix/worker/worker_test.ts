import assert from "node:assert/strict";
import { startWorker, WorkerError, type WorkerHandle } from "./worker.ts";
import { workerPort } from "./worker_port.ts";

const ECHO = new URL("../testdata/echo_worker.ts", import.meta.url);

/** The next message, or the failure of the worker. */
function next(worker: WorkerHandle): Promise<unknown> {
  const message = new Promise<unknown>((done) => worker.onMessage(done));
  return Promise.race([message, worker.ended]);
}

async function failureOf(worker: WorkerHandle): Promise<WorkerError> {
  const error = await worker.ended.then(() => undefined, (error) => error);
  assert(error instanceof WorkerError);
  return error;
}

Deno.test("workerPort is nothing outside of a worker", () => {
  assert.equal(workerPort(), undefined);
});

Deno.test("startWorker sends and receives, also before the worker listens", async () => {
  const worker = startWorker(ECHO);
  worker.postMessage({ action: "echo", value: 7 });
  assert.deepEqual(await next(worker), { echo: 7 });
  await worker.end();
});

Deno.test("startWorker moves memory both ways", async () => {
  const worker = startWorker(ECHO);
  const value = Uint8Array.of(1, 2, 3);
  worker.postMessage({ action: "memory", value }, [value.buffer]);
  assert.deepEqual(await next(worker), Uint8Array.of(2, 2, 3));
  assert.equal(value.length, 0);
  await worker.end();
});

Deno.test("startWorker asks a worker to end, which first does what it has, in order", async () => {
  const worker = startWorker(ECHO);
  const got: unknown[] = [];
  worker.onMessage((message) => got.push(message));
  worker.postMessage({ action: "slow", value: 1 });
  worker.postMessage({ action: "echo", value: 2 });
  assert.equal(worker.end(), worker.ended);
  await worker.end();
  assert.deepEqual(got, [{ echo: 1 }, { echo: 2 }]);
  worker.postMessage({ action: "echo", value: 3 });
});

Deno.test("startWorker drops a worker that does not listen yet, and asks any other", async () => {
  const early = startWorker(ECHO);
  const got: unknown[] = [];
  early.onMessage((message) => got.push(message));
  early.onError((error) => got.push(error));
  early.postMessage({ action: "echo", value: 1 });
  await early.drop();
  await early.drop();
  const worker = startWorker(ECHO);
  worker.postMessage({ action: "echo", value: 2 });
  assert.deepEqual(await next(worker), { echo: 2 });
  worker.onMessage((message) => got.push(message));
  worker.postMessage({ action: "slow", value: 3 });
  await worker.drop();
  assert.deepEqual(got, [{ echo: 3 }]);
});

Deno.test("startWorker resolves when a worker closes its port", async () => {
  const worker = startWorker(ECHO);
  worker.postMessage({ action: "close" });
  await worker.ended;
});

Deno.test("startWorker gets an error with its fields", async () => {
  const worker = startWorker(ECHO);
  const heard: WorkerError[] = [];
  worker.onError((error) => heard.push(error));
  worker.postMessage({ action: "throw" });
  const error = await failureOf(worker);
  assert.deepEqual(heard, [error]);
  assert.equal(error.record.name, "PosixError");
  assert.deepEqual(error.record.fields, {
    code: "ENOENT",
    errno: 2,
    action: "open",
    path: Uint8Array.of(97, 255),
  });
  assert.match(
    error.message,
    /^Cannot go on after a worker failed: Cannot open a\ufffd/,
  );
});

for (
  const [action, name] of [
    ["reject later", "RangeError"],
    ["reject unhandled", "TypeError"],
    ["exit", "Error"],
    ["process exit", "Error"],
  ]
) {
  Deno.test(`startWorker gets the failure of: ${action}`, async () => {
    const worker = startWorker(ECHO);
    worker.postMessage({ action });
    assert.equal((await failureOf(worker)).record.name, name);
  });
}

Deno.test("startWorker gets the failure of a module that throws", async () => {
  const worker = startWorker(
    new URL("../testdata/broken_worker.ts", import.meta.url),
  );
  const error = await failureOf(worker);
  assert.match(
    error.message,
    /^Cannot go on after a worker failed: .*Broken on purpose/,
  );
  await assert.rejects(worker.end(), WorkerError);
});
