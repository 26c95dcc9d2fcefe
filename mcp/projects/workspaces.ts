import type { RecordedSave } from "@snap/save";
import {
  Workspace,
  type WorkspaceOptions,
  type WorkspaceSaveOptions,
} from "@snap/workspace";
import type { OpenedSnapshots } from "../opened_snapshots.ts";

/** Directories that are watched at once; the one that was saved longest ago is given up. */
const COUNT_MAX = 4;

/** A directory that is watched, and the store that it is saved into. */
interface OpenedWorkspace {
  readonly workspace: Workspace;
  readonly opened: OpenedSnapshots;
}

/** Directories that were saved, and are watched for the next save. */
export class Workspaces implements AsyncDisposable {
  readonly #open: () => Promise<OpenedSnapshots>;
  readonly #options: WorkspaceOptions;
  /** By path, the one that was saved last at the end. */
  readonly #all = new Map<string, OpenedWorkspace>();

  /**
   * Watches nothing yet.
   *
   * @param open Opens the store.
   * @param options What each save is told.
   */
  constructor(
    open: () => Promise<OpenedSnapshots>,
    options: WorkspaceOptions,
  ) {
    this.#open = open;
    this.#options = options;
  }

  /** Saves a directory; only one call at a time. */
  async save(
    directory: string,
    options: WorkspaceSaveOptions,
  ): Promise<RecordedSave> {
    const one = await this.#take(directory);
    try {
      const result = await one.workspace.save(options);
      this.#all.set(directory, one);
      return result;
    } catch (error) {
      // What failed begins anew: the store may be another one by now.
      await close(one);
      throw error;
    }
  }

  /** Ends all watches. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#all.values()];
    this.#all.clear();
    for (const one of all) await close(one);
  }

  async #take(directory: string): Promise<OpenedWorkspace> {
    const known = this.#all.get(directory);
    this.#all.delete(directory);
    if (known !== undefined) return known;
    const [oldest] = this.#all;
    if (this.#all.size === COUNT_MAX) {
      this.#all.delete(oldest[0]);
      await close(oldest[1]);
    }
    const opened = await this.#open();
    const { snapshots } = opened;
    const workspace = new Workspace(snapshots, directory, this.#options);
    return { workspace, opened };
  }
}

async function close({ workspace, opened }: OpenedWorkspace): Promise<void> {
  await workspace[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
}
