/** Rights of requests. */
import { Refusal } from "./answer.ts";
import type { Verb } from "./protocol.ts";
import type { Access, Right } from "./options.ts";

const RANK: Readonly<Record<Right, number>> = { read: 1, append: 2, prune: 3 };
const NEED: Readonly<Record<Verb, Right>> = {
  health: "read",
  hello: "read",
  read: "read",
  size: "read",
  list: "read",
  exchange: "read",
  create: "append",
  sync: "append",
  part: "append",
  join: "append",
  remove: "prune",
};
/** Names that decide over the rest of a store: the right to append does not create them. */
const GUARDED = /^(config|forgotten|gc|listings)\/|^listing$/;
/** Shortest token in characters: 16 of them at random cannot be guessed. */
const TOKEN_SIZE_MIN = 16;
const TOKEN_SIZE_MAX = 1024;
const WRONG_WAIT_MS = 1000;
/** Most requests with a wrong token that wait; those above it are turned away at once. */
const WRONG_WAITING_MAX = 64;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Right of a request, and its reason. */
export interface Grant {
  readonly right: Right;
  /** Whether it took a token: then no shared cache may keep the answer. */
  readonly byToken: boolean;
}

/** Waits for some milliseconds, or until the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Refuses what a right does not cover. */
export function checkRight(right: Right, verb: Verb, name?: string): void {
  const creates = verb === "create" || verb === "join";
  const need = creates && GUARDED.test(name ?? "") ? "prune" : NEED[verb];
  if (RANK[right] < RANK[need]) throw new Refusal(403, "RIGHTS");
}

/** Looks at the token of requests. */
export class Gatekeeper {
  readonly #access: Access;
  readonly #sleep: Sleep;
  readonly #signal: AbortSignal | undefined;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  #digests: Promise<Uint8Array[]> | undefined;
  #wrong = 0;

  constructor(access: Access, sleep: Sleep, signal?: AbortSignal) {
    checkAccess(access);
    this.#access = access;
    this.#sleep = sleep;
    this.#signal = signal;
  }

  /** Says what a request may do, or refuses it. */
  async admit(request: Request): Promise<Grant> {
    if ("loopback" in this.#access) {
      checkLoopback(request);
      return { right: this.#access.loopback, byToken: false };
    }
    const { anonymous } = this.#access;
    const header = request.headers.get("authorization");
    if (header === null) {
      if (anonymous !== undefined) return { right: anonymous, byToken: false };
      throw new Refusal(401, "TOKEN", { "www-authenticate": "Bearer" });
    }
    const token = /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? "";
    const right = await this.#rightOf(token);
    if (right === undefined) return await this.#turnAway();
    return { right, byToken: anonymous === undefined };
  }

  /** Compares with all tokens, whichever fits: the time tells nothing. */
  async #rightOf(token: string): Promise<Right | undefined> {
    if ("loopback" in this.#access) return undefined;
    const { tokens } = this.#access;
    this.#digests ??= Promise.all(tokens.map((one) => this.#digest(one.token)));
    const [found, all] = await Promise.all([
      this.#digest(token.slice(0, TOKEN_SIZE_MAX + 1)),
      this.#digests,
    ]);
    let right: Right | undefined;
    for (const [i, digest] of all.entries()) {
      let difference = 0;
      for (let at = 0; at < 32; at++) difference |= digest[at] ^ found[at];
      right = difference === 0 ? tokens[i].right : right;
    }
    return right;
  }

  async #digest(token: string): Promise<Uint8Array> {
    const text = new TextEncoder().encode(token);
    const bytes = new Uint8Array(this.#key.length + text.length);
    bytes.set(this.#key);
    bytes.set(text, this.#key.length);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  }

  /** Answers a wrong token late, without keeping more than a few waiting. */
  async #turnAway(): Promise<never> {
    if (this.#wrong >= WRONG_WAITING_MAX) {
      throw new Refusal(429, "TOKEN", { "retry-after": "1" });
    }
    this.#wrong++;
    try {
      await this.#sleep(WRONG_WAIT_MS, this.#signal);
    } finally {
      this.#wrong--;
    }
    throw new Refusal(401, "TOKEN", { "www-authenticate": "Bearer" });
  }
}

function checkAccess(access: Access): void {
  if ("loopback" in access) return;
  if (access.tokens.length === 0 && access.anonymous === undefined) {
    throw new TypeError(
      "Cannot serve without tokens: name some, or say `loopback`",
    );
  }
  for (const { token } of access.tokens) {
    const { length } = token;
    if (
      length < TOKEN_SIZE_MIN || length > TOKEN_SIZE_MAX ||
      !/^[\x21-\x7e]+$/.test(token)
    ) {
      throw new RangeError(
        `Cannot use a token of ${length} characters: it has ${TOKEN_SIZE_MIN} to ${TOKEN_SIZE_MAX} visible ones of ASCII`,
      );
    }
  }
}

/**
 * Refuses what did not come from a program of this machine. The address is the
 * caller's to bind; but a page in a browser can reach loopback, too, under a
 * name of its own or from an origin of its own.
 */
function checkLoopback(request: Request): void {
  const { hostname } = new URL(request.url);
  if (!LOOPBACK.test(hostname) || request.headers.has("origin")) {
    throw new Refusal(403, "LOOPBACK");
  }
}
