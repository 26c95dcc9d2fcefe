/**
 * Statistics of a mount.
 *
 * @module
 */
import { Counter, type Counters } from "../counters.ts";
import { Opcode } from "../device/protocol.ts";

/** Counts of the requests to a mount so far. Those counted at the same moment may be missing. */
export interface MountStatistics {
  /** Requests of the kernel by name, such as `READ`; those that came. */
  readonly requests: Readonly<Record<string, number>>;
  /** Bytes of files handed to the kernel. */
  readonly byteCount: number;
  /** Requests that had to wait for the store. */
  readonly parked: number;
  /** Parked requests that waited too long. */
  readonly expired: number;
  /** Parked requests that were interrupted. */
  readonly interrupted: number;
  /** Requests answered with an input/output error. */
  readonly faults: number;
}

/** Sums the counters of a mount. */
export function statisticsOf(counters: Counters): MountStatistics {
  const requests: Record<string, number> = {};
  for (const [name, opcode] of Object.entries(Opcode)) {
    const count = counters.total(opcode);
    if (count > 0) requests[name] = count;
  }
  return {
    requests,
    byteCount: counters.total(Counter.bytesRead),
    parked: counters.total(Counter.parked),
    expired: counters.total(Counter.expired),
    interrupted: counters.total(Counter.interrupted),
    faults: counters.total(Counter.faults),
  };
}
