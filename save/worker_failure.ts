import { DiskError, ExhaustedError } from "@snap/disk";
import { sinkFailure } from "@snap/pack/sink";
import type { ErrorRecord, WorkerError } from "@snap/posix/worker";

/**
 * Gives what was thrown in a worker its class again, where callers tell it apart.
 *
 * @param error What the worker failed with.
 * @returns The error to throw.
 */
export function workerFailure(error: WorkerError): Error {
  return errorOf(error.record, error) ?? error;
}

function errorOf(record: ErrorRecord, cause: Error): Error | undefined {
  const { name, fields } = record;
  switch (name) {
    case "DiskError": {
      const { action, path, code } = fields as {
        readonly action: string;
        readonly path: Uint8Array;
        readonly code: string;
      };
      return new DiskError(action, path, code, { cause });
    }
    case "ExhaustedError": {
      const disk = record.cause && errorOf(record.cause, cause);
      return disk instanceof DiskError ? new ExhaustedError(disk) : undefined;
    }
    default:
      return sinkFailure(record, cause);
  }
}
