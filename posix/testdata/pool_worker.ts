// A worker of a pool that ends each job when it is asked to, for `worker_pool_test.ts`.
import { workerPort } from "../worker/worker_port.ts";

/** What the test says to this worker. */
export type ToPoolWorker =
  | { readonly type: "begin" | "help" | "end" }
  | { readonly type: "job"; readonly number: number }
  /** All jobs in hand are to end, or the worker is to fail. */
  | { readonly type: "release"; readonly fails?: boolean };

const port = workerPort()!;
const jobs: number[] = [];

port.onMessage((message) => {
  const said = message as ToPoolWorker;
  switch (said.type) {
    case "begin":
      return port.postMessage({ type: "ready" });
    case "help":
      return port.postMessage({ type: "helped" });
    case "job":
      jobs.push(said.number);
      return port.postMessage({ type: "has", number: said.number });
    case "release":
      if (said.fails === true) throw new RangeError("out of range");
      for (const number of jobs.splice(0)) {
        port.postMessage({ type: "result", result: { number } });
      }
      return port.postMessage({ type: "answered" });
    case "end":
      return port.postMessage({ type: "ended" });
  }
});
