import type { PruneStore, StoreOptions } from "@snap/store";
import type { CacheFigures } from "@snap/store/cache";
import type { RemoteStore } from "@snap/store/http";
import type { Limiter, Meter } from "@snap/store/wrap";

/** A store that a command works with, until it is disposed of. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: PruneStore;
  /** Where it is, without passwords: for people. */
  readonly location: string;
  /** Why nothing can be added to it, where that is known beforehand. */
  readonly readOnly?: { readonly reason: string; readonly hint?: string };
  /** Counters of requests so far; absent for a folder, which costs none. */
  readonly meter?: Meter;
  /** Counters of the use of its cache, where there is one. */
  readonly cache?: CacheFigures;
  /** Brings a message of a sync to the server of the store, where that has one. */
  readonly exchange?: RemoteStore["exchange"];
  /** The mark that tells it from all other stores, where the location does not. */
  readonly identity?: string;
  /**
   * Finds out whether two writers could destroy what the other wrote.
   * @throws {StoreError} With code `NO_CONDITION` if they could, and nobody said that there is one writer.
   */
  probe?(options?: StoreOptions): Promise<void>;
}

/** Files of a store far away that a command keeps on this machine. */
export interface FarCache {
  /** Whether nothing is kept, and nothing used. */
  readonly isOff: boolean;
  /** The folder of all caches, as the user wrote it. */
  readonly folder: string | undefined;
  /** Most bytes of disk. */
  readonly budget: number | undefined;
}

/** How a store far away is reached: what is said of it beside its address. */
export interface FarSettings {
  /** Address of the server of S3. */
  readonly endpoint: string | undefined;
  /** Region of S3. */
  readonly region: string | undefined;
  /** Whether the bucket of S3 is in the path, and not in the name of the host. */
  readonly pathStyle: boolean | undefined;
  /** Profile in `~/.aws`. */
  readonly profile: string | undefined;
  /** Whether requests to S3 are not signed. */
  readonly anonymous: boolean | undefined;
  /** Whether nobody else writes. */
  readonly singleWriter: boolean | undefined;
  /** Gets the token of a `serve` over HTTP. */
  readonly token: () => Promise<string | undefined>;
  /** Program and arguments in the place of `ssh`. */
  readonly sshCommand: string | undefined;
  /** Program and arguments that speak SFTP themselves, without ssh. */
  readonly sftpCommand: string | undefined;
  /** The command that runs this program on the other host. */
  readonly remoteCommand: string | undefined;
}

/** Limits of requests to a store far away. */
export interface FarLimits {
  /** Most bytes a second, both ways together. */
  readonly bytesPerSecond: number | undefined;
  /** Whether all stores of a run keep that rate together, as none has one of its own. */
  readonly isRateShared: boolean;
  /** Most requests under way. */
  readonly requestsMax: number | undefined;
}

/** Where a store far away is, and how it is reached. */
export interface FarPlace {
  readonly kind: "far";
  readonly url: string;
  readonly scheme: string;
  readonly settings: FarSettings;
  readonly limits: FarLimits;
  readonly cache: FarCache;
}

/** Where a store is, and how it is reached. */
export type StorePlace =
  | { readonly kind: "folder"; readonly path: string }
  | FarPlace;

/** Options of the functions that open a store far away. */
export interface FarNeed {
  /** Settings of the store beside its address. */
  readonly settings: FarSettings;
  /** Limits its requests and bytes. */
  readonly limiter: Limiter;
  /** Counts its requests and bytes. */
  readonly meter: Meter;
  /** Whether a store is to be made there. */
  readonly isNew: boolean;
  /** The environment; what may not be read is absent. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the opening. */
  readonly signal: AbortSignal;
  /** Tells what only matters to those who asked to hear more. */
  detail(message: string): void;
}

/** A module that opens stores of some schemes. */
export interface FarStoreModule {
  /** Opens a store far away. */
  open(url: string, need: FarNeed): Promise<OpenedStore>;
}
