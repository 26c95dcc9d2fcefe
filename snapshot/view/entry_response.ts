import { answerHead } from "@snap/store";
import type { View } from "./view.ts";
import type { ViewEntry } from "./view_entry.ts";

/**
 * Answers a request for a file, as a web server does: whole, a range of it, or not at
 * all where the client has it already. Its tag is its id. A damaged file ends the body
 * with an error.
 *
 * @example Serve the files of a snapshot
 * ```ts ignore
 * Deno.serve(async (request) => {
 *   const path = decodeURIComponent(new URL(request.url).pathname);
 *   const entry = await view.lookup(path);
 *   if (!entry?.isFile) return new Response(null, { status: 404 });
 *   return entryResponse(view, entry, request);
 * });
 * ```
 *
 * @param request A request by GET or HEAD; its signal ends the body.
 * @returns The answer: 200, 206, 304 or 416.
 * @throws {TypeError} If the entry is no file.
 */
export function entryResponse(
  view: View,
  entry: ViewEntry,
  request: Request,
): Response {
  const { signal } = request;
  const { status, headers, span } = answerHead(request, {
    size: entry.size,
    headers: { "accept-ranges": "bytes", etag: `"${entry.id}"` },
  });
  if (span === undefined || request.method === "HEAD") {
    return new Response(null, { status, headers });
  }
  const { start: offset, end } = span;
  const body = view.stream(entry, { offset, length: end - offset, signal });
  return new Response(body, { status, headers });
}
