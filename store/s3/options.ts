import type { AdoptStore, StoreOptions, UnfinishedUpload } from "../store.ts";
import type { Limiter } from "../wrap/limiter.ts";
import type { Meter } from "../wrap/meter.ts";
import type { RetryOptions } from "../wrap/retry.ts";
import type { Timing } from "../wrap/timing.ts";
import type { CredentialSource, S3Credentials } from "./credentials.ts";

/** Options of `openS3Store`. What is not given is taken from the URL, the environment, a profile. */
export interface S3StoreOptions {
  /** Address of the server: `https://HOST`. Default: that of Amazon's region. */
  readonly endpoint?: string;
  /** The region. Default: `us-east-1`. */
  readonly region?: string;
  /** Whether the bucket is in the path and not in the name of the host. Default: where an endpoint is given. */
  readonly pathStyle?: boolean;
  /** Name of the profile in `~/.aws`. Default: that of the environment, or `default`. */
  readonly profile?: string;
  /** The keys, or what gets them. Default: of the environment, a profile, or the AWS SDK. */
  readonly credentials?: S3Credentials | CredentialSource;
  /** Whether requests are not signed, for buckets that all may read. Default: false. */
  readonly anonymous?: boolean;
  /** Whether nobody else writes, so that a server without conditional creates will do. Default: false. */
  readonly singleWriter?: boolean;
  /** Folder for files that wait for their upload. Default: one in the user's cache. */
  readonly spool?: string;
  /** Size of the parts of an upload in bytes, at least 5 MiB on most servers. Default: 8 MiB. */
  readonly partSize?: number;
  /** Limit of requests and bytes, which several stores may share. Default: one of its own. */
  readonly limiter?: Limiter;
  /** Counter of requests and bytes. Default: one of its own. */
  readonly meter?: Meter;
  /** How often a request is repeated. */
  readonly retry?: RetryOptions;
  /** How long a server may say nothing, in milliseconds. */
  readonly stallMs?: number;
  /** The environment. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The clock and the chance. Default: those of the system. */
  readonly timing?: Timing;
  /** Sends requests. Default: the `fetch` of the runtime. */
  readonly fetch?: typeof fetch;
}

/** A store in a bucket. */
export interface S3Store extends AdoptStore {
  /** Requests and bytes so far. */
  readonly meter: Meter;
  /** Marks that tell the store from all others: the addresses of its bucket and of its prefix. */
  readonly location: string;

  /**
   * Finds out whether the server can create a name only if it is absent, without
   * which two writers destroy what the other wrote. Leaves nothing behind.
   *
   * @throws {StoreError} With code `NO_CONDITION` if it cannot, and nobody said
   * that there is a single writer.
   */
  probe(options?: StoreOptions): Promise<void>;

  /**
   * Goes on with uploads that a process began and did not end, since it was
   * killed or could not reach the server: best before a save, which then finds
   * what they bring. `adopt` keeps a file for this, out of sight, if the server
   * cannot be reached.
   *
   * @returns How many names have become whole.
   * @throws {StoreError} If the server cannot be reached; then they stay for later.
   */
  finishUploads(options?: StoreOptions): Promise<number>;

  /**
   * Lists uploads in parts that are not finished, whoever has begun them.
   *
   * @returns The uploads.
   * @throws {StoreError} If the server cannot be reached.
   */
  listUploads(options?: StoreOptions): Promise<readonly UnfinishedUpload[]>;
}
