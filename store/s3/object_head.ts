import { RemoteError } from "../wrap/remote_error.ts";
import { checkTag, sizeOf } from "./answer_checks.ts";
import type { S3Client } from "./client.ts";

/** What a server tells of an object without its bytes. */
export interface ObjectHead {
  /** Bytes of it. */
  readonly size: number;
  /** Its tag, without quotes: on most servers made of MD5s. */
  readonly tag: string;
}

/**
 * Asks for the size and the tag of an object.
 *
 * @returns Undefined if it is absent, or the keys give no right to look: some
 * servers do not tell these apart.
 * @throws {RemoteError} If the server fails.
 */
export async function objectHead(
  client: S3Client,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ObjectHead | undefined> {
  const asked = { action: "size", subject: name, name, signal } as const;
  try {
    const answer = await client.send({ ...asked, method: "HEAD" });
    checkTag(asked, answer);
    return {
      size: sizeOf(asked, answer.headers.get("content-length")),
      tag: plainTag(answer.headers.get("etag")!),
    };
  } catch (error) {
    const status = error instanceof RemoteError ? error.status : undefined;
    if (status === 404 || status === 403) return undefined;
    throw error;
  }
}

/** A tag without the quotes that it has in answers. */
export function plainTag(tag: string): string {
  return tag.replaceAll('"', "");
}
