import { RemoteError } from "../wrap/remote_error.ts";
import type { Environment, Profile } from "./profiles.ts";

/** Keys that sign requests. */
export interface S3Credentials {
  /** The public half. */
  readonly accessKeyId: string;
  /** The secret half. */
  readonly secretAccessKey: string;
  /** Token that goes along with keys that end. */
  readonly sessionToken?: string | undefined;
  /** When they end. */
  readonly expiration?: Date | undefined;
}

/** A source of keys. */
export type CredentialSource = () => Promise<S3Credentials>;

/** The package that knows all other ways to keys, at the version that was tested. */
const CHAIN = "@aws-sdk/credential-provider-node";
const CHAIN_VERSION = "3.972.99";
/** Keys are fetched anew this long before they end, in milliseconds. */
const EARLY_MS = 300_000;

/** Variables that name a place of keys that only the chain knows. */
const CHAIN_PROFILE_KEYS = [
  "role_arn",
  "sso_session",
  "sso_start_url",
  "credential_process",
  "web_identity_token_file",
  "login_session",
];

/** Sources that {@link credentialSource} looks at. */
export interface CredentialOptions {
  readonly env: Environment;
  readonly profileName: string;
  /** Whether the profile was asked for, which then goes before the environment. */
  readonly isProfileAsked: boolean;
  readonly profile: Profile | undefined;
  /** Loads the provider chain of the AWS SDK. */
  readonly loadChain?: (profile: string) => Promise<CredentialSource>;
}

/** Where the keys come from: the environment, a profile, or else whatever the AWS SDK finds. */
export function credentialSource(options: CredentialOptions): CredentialSource {
  const { env, profile, isProfileAsked, profileName } = options;
  const fromEnv = keysOf(
    env.AWS_ACCESS_KEY_ID,
    env.AWS_SECRET_ACCESS_KEY,
    env.AWS_SESSION_TOKEN,
  );
  if (isProfileAsked && profile === undefined) {
    throw credentialError(`no profile ${profileName} is in ~/.aws`);
  }
  if (!isProfileAsked && fromEnv !== undefined) {
    return () => Promise.resolve(fromEnv);
  }
  const isForChain = CHAIN_PROFILE_KEYS.some((key) => profile?.has(key));
  const fromProfile = keysOf(
    profile?.get("aws_access_key_id"),
    profile?.get("aws_secret_access_key"),
    profile?.get("aws_session_token"),
  );
  if (fromProfile !== undefined && !isForChain) {
    return () => Promise.resolve(fromProfile);
  }
  const load = options.loadChain ?? loadChain;
  let chain: Promise<CredentialSource> | undefined;
  return async () => {
    chain ??= load(profileName);
    return await (await chain)();
  };
}

function keysOf(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): S3Credentials | undefined {
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken };
}

/**
 * The provider chain of the AWS SDK: roles, single sign-on, programs, containers,
 * machines. By a name that is computed, so that nobody fetches its forty packages
 * who does not need them.
 */
async function loadChain(profile: string): Promise<CredentialSource> {
  const isDeno = "Deno" in globalThis;
  const name = isDeno ? `npm:${CHAIN}@${CHAIN_VERSION}` : CHAIN;
  let chain: {
    defaultProvider(options: { profile: string }): CredentialSource;
  };
  try {
    chain = await import(name);
  } catch (cause) {
    throw credentialError(
      `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, profile ${profile} has no keys, and ${CHAIN}, which knows other ways, cannot be loaded`,
      cause,
    );
  }
  const provider = chain.defaultProvider({ profile });
  return async () => {
    try {
      return await provider();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw credentialError(reason.replace(/[.\s]+$/, ""), cause);
    }
  };
}

function credentialError(reason: string, cause?: unknown): RemoteError {
  return new RemoteError(`Cannot find keys for S3: ${reason}`, {
    code: "ENOKEYS",
    action: "open",
    cause,
  });
}

/** Keys that are fetched once for all who ask, and anew before they end. */
export class Keys {
  readonly #source: CredentialSource;
  readonly #date: () => number;
  #keys: Promise<S3Credentials> | undefined;
  #endsAt = Infinity;

  constructor(source: CredentialSource, date: () => number) {
    this.#source = source;
    this.#date = date;
  }

  async get(): Promise<S3Credentials> {
    if (this.#date() > this.#endsAt - EARLY_MS) this.forget();
    const keys = this.#keys ??= this.#fetch();
    return await keys;
  }

  /** Fetches them anew when they are asked for next. */
  forget(): void {
    this.#keys = undefined;
    this.#endsAt = Infinity;
  }

  async #fetch(): Promise<S3Credentials> {
    try {
      const keys = await this.#source();
      this.#endsAt = keys.expiration?.getTime() ?? Infinity;
      return keys;
    } catch (error) {
      this.#keys = undefined;
      throw error;
    }
  }
}
