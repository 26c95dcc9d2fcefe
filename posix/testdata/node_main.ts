// Runs the checks and a worker on Node, and prints a line for each: `ok`, `skipped` or `FAILED`.
import process from "node:process";
import { startWorker } from "../worker/worker.ts";
import { checks } from "./checks.ts";
import { checkDecoders } from "./decoder_checks.ts";
import { runCheck } from "./suite.ts";

async function report(name: string, run: () => unknown): Promise<void> {
  try {
    const skipped = await run();
    console.log(
      typeof skipped === "string"
        ? `skipped ${name}: ${skipped}`
        : `ok ${name}`,
    );
  } catch (error) {
    console.log(`FAILED ${name}: ${(error as Error).stack}`);
    process.exitCode = 1;
  }
}

const echo = new URL("./echo_worker.ts", import.meta.url);

for (const check of checks) await report(check.name, () => runCheck(check));

await report("decoders", checkDecoders);

await report("startWorker round trip", async () => {
  const worker = startWorker(echo);
  worker.postMessage({ action: "echo", value: 7 });
  const got = await new Promise((done) => worker.onMessage(done));
  if (JSON.stringify(got) !== '{"echo":7}') {
    throw new Error(`Cannot use ${JSON.stringify(got)}`);
  }
  await worker.end();
});

await report(
  "startWorker drops a worker that does not listen yet",
  async () => {
    const worker = startWorker(echo);
    worker.postMessage({ action: "throw" });
    await worker.drop();
  },
);

for (
  const action of ["throw", "reject later", "reject unhandled", "process exit"]
) {
  await report(`startWorker failure of: ${action}`, async () => {
    const worker = startWorker(echo);
    worker.postMessage({ action });
    const error = await worker.ended.then(() => undefined, (error) => error);
    if (error?.name !== "WorkerError") throw new Error(`Cannot use ${error}`);
    console.log(`  ${error.record.name} ${error.record.fields.code}`);
  });
}

await report("startWorker failure of an absent module", async () => {
  const worker = startWorker(new URL("./absent.ts", import.meta.url));
  const error = await worker.ended.then(() => undefined, (error) => error);
  if (error?.name !== "WorkerError") throw new Error(`Cannot use ${error}`);
});

await report(
  "startWorker failure of an address that only import takes",
  async () => {
    const worker = startWorker(new URL("node:fs"));
    const error = await worker.ended.then(() => undefined, (error) => error);
    if (!/ended without an answer/.test(error?.message)) {
      throw new Error(
        `Cannot use ${error}`,
      );
    }
  },
);
