// Real servers that speak S3, one of each for all tests of a run.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { AwsV4Signer } from "aws4fetch";
import { ROOT } from "../_tools/workspace.ts";

/** A server, and keys that it knows. */
export interface S3Server {
  readonly endpoint: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
}

/** Which servers can be had. */
export type S3Personality = "ceph" | "moto";

const KEYS = { accessKeyId: "AKIATEST", secretAccessKey: "SECRETTEST" };
const PROGRAMS: Readonly<Record<S3Personality, readonly string[]>> = {
  ceph: ["radosgw", "ceph-mon", "ceph-osd", "ceph"],
  moto: [process.env.SNAP_MOTO_SERVER ?? "moto_server"],
};

/** Whether a test of a server is to be left out, as it is not installed here. */
export function lacksServer(personality: S3Personality): boolean {
  if (process.env.CI !== undefined) return false;
  return !PROGRAMS[personality].every(isInstalled);
}

function isInstalled(program: string): boolean {
  if (program.includes("/")) return existsSync(program);
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

/**
 * The server of this run: whoever asks first starts it. It ends with the process
 * that runs the tests, whatever ends that.
 */
export async function s3Server(personality: S3Personality): Promise<S3Server> {
  const folder = join(tmpdir(), `snap-${personality}-${process.pid}`);
  const portFile = join(folder, "port");
  if (makes(folder)) {
    try {
      await startServer(personality, folder);
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
  }
  for (let i = 0; i < 600 && existsSync(folder); i++) {
    if (existsSync(portFile)) {
      const port = Number(readFileSync(portFile, "utf8"));
      if (port > 0 && await answers(port)) {
        return { endpoint: `http://127.0.0.1:${port}`, credentials: KEYS };
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Cannot start ${personality}: no answer, see ${folder}`);
}

/** Makes a bucket that no other test has. */
export async function newBucket(server: S3Server): Promise<string> {
  const bucket = `b-${crypto.randomUUID()}`;
  const response = await signedFetch(server, "PUT", bucket);
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`Status ${response.status}`);
  return bucket;
}

/** Asks a server for what is no part of a store: its buckets, its uploads. */
export async function signedFetch(
  server: S3Server,
  method: string,
  path: string,
): Promise<Response> {
  const { url, headers } = await new AwsV4Signer({
    method,
    url: `${server.endpoint}/${path}`,
    ...server.credentials,
    service: "s3",
    region: "us-east-1",
  }).sign();
  return await fetch(url, { method, headers });
}

function makes(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EEXIST") return false;
    throw error;
  }
}

async function startServer(
  personality: S3Personality,
  folder: string,
): Promise<void> {
  const port = await freePorts();
  const [program] = PROGRAMS[personality];
  const up = personality === "ceph"
    ? `bash "${ROOT}tests/_rgw.sh" up "${folder}/ceph" ${port}`
    : `"${program}" -H 127.0.0.1 -p ${port} & echo $! >"${folder}/pid"; sleep 1`;
  const down = personality === "ceph"
    ? `bash "${ROOT}tests/_rgw.sh" down "${folder}/ceph"`
    : `kill "$(cat "${folder}/pid")"`;
  const script = `{ ${up}; } >"${folder}/log" 2>&1
echo ${port} >"${folder}/port"
while kill -0 ${process.pid} 2>/dev/null; do sleep 1; done
{ ${down}; } >/dev/null 2>&1
rm -rf "${folder}"`;
  // By a shell that ends at once: a test must not leave a child behind.
  const launch = 'setsid bash -c "$SCRIPT" </dev/null >/dev/null 2>&1 &';
  const env = { ...process.env, SCRIPT: script };
  execFileSync("bash", ["-c", launch], { env });
}

/** The first of three ports that nobody listens at. */
async function freePorts(): Promise<number> {
  for (let i = 0;; i++) {
    const port = 18_000 + (process.pid * 3 + i * 3) % 12_000;
    const free = await Promise.all([port, port + 1, port + 2].map(isFree));
    if (free.every(Boolean)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.once("close", () => resolve(true));
      socket.destroy();
    });
  });
}
