// Claims ids beside other workers: see claim_table_test.ts.
import { workerPort } from "@snap/posix/worker-port";
import { Claim, ClaimTable } from "../write/claim_table.ts";

/** What a worker is to do. */
export interface ClaimTask {
  readonly table: SharedArrayBuffer;
  /** 32 bytes each. */
  readonly ids: Uint8Array;
  /** The number of the first; the others follow, and the first ones at last. */
  readonly first: number;
  /** Counts workers that are ready: all begin when it says how many there are. */
  readonly ready: SharedArrayBuffer;
  readonly workerCount: number;
}

/** What it was told for each id. */
export interface ClaimOutcome {
  readonly answers: Uint8Array;
}

function run(task: ClaimTask): ClaimOutcome {
  const { ids, first, workerCount } = task;
  const table = new ClaimTable(task.table);
  const ready = new Int32Array(task.ready);
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < workerCount);
  const count = ids.length / 32;
  const answers = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const number = (first + i) % count;
    answers[number] = table.claim(ids, 32 * number);
    // An id is never claimed twice, whatever the first answer was.
    if (answers[number] !== Claim.full) {
      const again = table.claim(ids, 32 * number);
      if (again !== Claim.taken) throw new Error(`${number} was free again`);
    }
  }
  return { answers };
}

const port = workerPort();
port?.onMessage((message) => port.postMessage(run(message as ClaimTask)));
