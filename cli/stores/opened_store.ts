import type { PruneStore, StoreOptions } from "@snap/store";
import type { Limiter, Meter } from "@snap/store/wrap";

/** A store that a command works with, until it is disposed of. */
export interface OpenedStore extends AsyncDisposable {
  /** The store. */
  readonly store: PruneStore;
  /** Where it is, without passwords: for people. */
  readonly location: string;
  /** What was asked of it so far; absent for a folder, which costs no requests. */
  readonly meter?: Meter;
  /**
   * Finds out whether two writers could destroy what the other wrote.
   *
   * @param options A signal.
   * @throws {StoreError} With code `NO_CONDITION` if they could, and nobody said that there is one writer.
   */
  probe?(options?: StoreOptions): Promise<void>;
}

/** How a store far away is reached: what is said of it beside its address. */
export interface FarSettings {
  /** Address of the server of S3. */
  readonly endpoint?: string;
  /** Region of S3. */
  readonly region?: string;
  /** Whether the bucket of S3 is in the path, and not in the name of the host. */
  readonly pathStyle?: boolean;
  /** Profile in `~/.aws`. */
  readonly profile?: string;
  /** Whether requests to S3 are not signed. */
  readonly anonymous?: boolean;
  /** Whether nobody else writes. */
  readonly singleWriter?: boolean;
  /** Gets the token of a `serve` over HTTP. */
  readonly token?: () => Promise<string | undefined>;
  /** Program and arguments in the place of `ssh`. */
  readonly sshCommand?: string;
  /** What runs this program on the other host. */
  readonly remoteCommand?: string;
}

/** What opens a store far away is given. */
export interface FarNeed {
  /** What is said of the store beside its address. */
  readonly settings: FarSettings;
  /** Limits its requests and bytes. */
  readonly limiter: Limiter;
  /** Counts its requests and bytes. */
  readonly meter: Meter;
  /** Ends the opening. */
  readonly signal: AbortSignal;
  /**
   * Looks up a variable of the environment.
   *
   * @param name Its name.
   * @returns Its value, or `undefined`.
   */
  env(name: string): string | undefined;
  /**
   * Tells what only matters to those who asked to hear more.
   *
   * @param message One line.
   */
  detail(message: string): void;
}

/** A module that opens stores of some schemes. */
export interface FarStoreModule {
  /**
   * Opens a store far away.
   *
   * @param url Its address.
   * @param need What is said of it, and what limits and counts.
   * @returns The store.
   */
  open(url: string, need: FarNeed): Promise<OpenedStore>;
}
