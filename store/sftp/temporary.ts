import { hexOf } from "@snap/hash";
import { randomHex } from "../hex.ts";
import { SAVE_ID_SIZE, saveIdOf } from "../header.ts";
import {
  isGone,
  ownerText,
  parseOwner,
  thisOwner,
} from "../owner/process_owner.ts";
import type { Folders } from "./folders.ts";
import { listFolder } from "./list_names.ts";
import { OPEN, type SftpSession } from "./sftp_session.ts";
import { hasStatus, STATUS } from "./status_error.ts";

const FOLDER = "tmp";

const NAME = /^[0-9a-f]{32}-[0-9a-f]{32}-(.+)$/;

/** A name for an unfinished file, which says of which save and of which process it is. */
export function temporaryName(head: Uint8Array): string {
  const saveId = hexOf(saveIdOf(head) ?? new Uint8Array(SAVE_ID_SIZE));
  return `${FOLDER}/${saveId}-${randomHex()}${ownerSuffix()}`;
}

/** Opens an unfinished file, and makes its folder where that is absent. */
export async function openTemporary(
  session: SftpSession,
  folders: Folders,
  path: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  try {
    return await session.open(path, OPEN.createNew, signal);
  } catch (error) {
    if (!hasStatus(error, STATUS.noSuchFile)) throw error;
    await folders.make(FOLDER, signal);
    return await session.open(path, OPEN.createNew, signal);
  }
}

/** Removes what processes of this machine have left that are certainly gone. */
export async function removeAbandoned(
  session: SftpSession,
  folders: Folders,
): Promise<void> {
  for (const { name } of await listFolder(session, folders.path(FOLDER))) {
    const [, text] = NAME.exec(name) ?? [];
    const owner = text === undefined ? undefined : parseOwner(text);
    if (owner === undefined || !isGone(owner)) continue;
    await session.remove(folders.path(`${FOLDER}/${name}`));
  }
}

/** Where the runtime does not permit to ask for the name of the machine, files have no owner. */
function ownerSuffix(): string {
  try {
    return `-${ownerText(thisOwner())}`;
  } catch {
    return "";
  }
}
