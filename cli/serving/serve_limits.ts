import type { AccessLine, ServeLimits } from "@snap/store/serve";
import { jsonLine } from "../terminal/json_line.ts";
import { parseSize } from "../terminal/units.ts";
import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";

/** The least that a body has to be allowed for clients to work, in bytes. */
const BODY_SIZE_MIN = 64 * 1024;
/** The most that may be asked for, as the protocol has it, in bytes. */
const BODY_SIZE_MAX = 16 * 1024 * 1024;
/** The longest wait that may be asked for, in seconds. */
const IDLE_SEC_MAX = 86_400;
/** Most requests at once that may be asked for. */
const REQUESTS_MAX = 65_536;

/**
 * Reads the limits of a server.
 *
 * @throws {UsageError} If a value is none.
 */
export function serveLimits(session: Session): ServeLimits {
  const { args } = session;
  const idleSec = args.number("idle-time", IDLE_SEC_MAX);
  const requestsMax = args.number("requests", REQUESTS_MAX);
  const zero = idleSec === 0
    ? "idle-time"
    : requestsMax === 0
    ? "requests"
    : undefined;
  if (zero !== undefined) {
    throw new UsageError(`Cannot use --${zero} 0: nothing could be served`);
  }
  return {
    ...sizeLimit(session, "body-size", "bodySizeMax"),
    ...sizeLimit(session, "file-size", "fileSizeMax"),
    ...(idleSec !== undefined && { idleMs: idleSec * 1000 }),
    ...(requestsMax !== undefined && { requestsMax }),
  };
}

function sizeLimit(
  { args }: Session,
  name: "body-size" | "file-size",
  field: "bodySizeMax" | "fileSizeMax",
): ServeLimits {
  const text = args.text(name);
  if (text === undefined) return {};
  const size = parseSize(text) ?? NaN;
  const max = name === "body-size" ? BODY_SIZE_MAX : Infinity;
  if (size >= BODY_SIZE_MIN && size <= max) return { [field]: size };
  throw new UsageError(
    `Cannot use --${name} ${JSON.stringify(text)}: it takes a size from 64k${
      max === Infinity ? "" : " to 16m"
    }`,
  );
}

/** Writes a line of the access log. */
export function accessText(
  line: AccessLine,
  time: Date,
  isJson: boolean,
): string {
  const {
    peer,
    method,
    verb,
    subject,
    status,
    right,
    bytesIn,
    bytesOut,
    durationMs,
  } = line;
  const ms = Math.round(durationMs);
  const error = line.error instanceof Error ? line.error.message : undefined;
  if (isJson) {
    return jsonLine({
      type: "access",
      time: time.toISOString(),
      peer,
      method,
      verb,
      subject,
      status,
      right,
      bytesIn,
      bytesOut,
      durationMs: ms,
      error,
    });
  }
  const words = [
    time.toISOString(),
    peer ?? "-",
    status,
    method,
    verb ?? "-",
    subject ? JSON.stringify(subject).slice(1, -1) : "-",
    right ?? "-",
    `${bytesIn}>`,
    `${bytesOut}<`,
    `${ms}ms`,
    ...error === undefined ? [] : [JSON.stringify(error)],
  ];
  return `${words.join(" ")}\n`;
}
