import { StoreError, type StoreErrorFields } from "@snap/store";
import { IndexSyntaxError } from "../errors.ts";

/** An error that has come out of a worker. */
export interface FailureRecord {
  /** The name of its class. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** Its other fields. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Gives what a sink has thrown in a worker its class again, where callers tell it apart.
 *
 * @param record What the worker failed with.
 * @param cause The error of the worker.
 * @returns The error to throw; `undefined` if it is none of a sink.
 */
export function sinkFailure(
  { name, message, fields }: FailureRecord,
  cause: Error,
): Error | undefined {
  switch (name) {
    case "StoreError": {
      const known = fields as unknown as StoreErrorFields;
      return new StoreError(message, { ...known, cause });
    }
    case "IndexSyntaxError": {
      const { offset, tableName } = fields as {
        readonly offset: number;
        readonly tableName?: string;
      };
      return new IndexSyntaxError(message, offset, { cause, tableName });
    }
    default:
      return undefined;
  }
}
