import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";

/** A store that is open, until it is disposed of. */
export interface OpenedSnapshots extends AsyncDisposable {
  /** Its snapshots. */
  readonly snapshots: Snapshots<WriteStore>;
}
