/** The simulator as a process of its own, so that its work is not counted as the tap's. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { executable, ROOT } from './trial.ts';

export interface Simulator {
  readonly url: string;
  /** Writes a config for the tap: the simulator's own settings and these. Returns its path. */
  config(path: string, settings: Readonly<Record<string, unknown>>): string;
  configure(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** A fresh access token, for clients without a sign-in of their own. */
  token(): Promise<string>;
  close(): Promise<void>;
}

/** Starts the full profile without its limit of tokens, which would make repeated runs wait. */
export async function startSimulator(): Promise<Simulator> {
  const child = spawn(process.execPath, [...executable('tapworks', 'simulate', 'pmp', '--profile', 'full').args], {
    cwd: ROOT,
    // Being stopped is how it ends here; errors are still told.
    env: { ...process.env, LOGLEVEL: 'ERROR' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code}`)));
  });
  gone.catch(() => undefined);
  const ready = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const { url, config } = JSON.parse(await Promise.race([ready, gone])) as {
    readonly url: string;
    readonly config: Readonly<Record<string, string>>;
  };
  const post = async (path: string, body: string | URLSearchParams): Promise<unknown> => {
    const reply = await fetch(`${url}${path}`, { method: 'POST', body });
    if (!reply.ok) throw new Error(`the simulator answered ${path} with ${reply.status}: ${await reply.text()}`);
    return reply.json();
  };
  const configure = async (settings: Readonly<Record<string, unknown>>) => {
    await post('/__sim/config', JSON.stringify(settings));
  };
  await configure({ token_limit: false });
  return {
    url,
    configure,
    config(path, settings) {
      writeFileSync(path, JSON.stringify({ ...config, ...settings }), { mode: 0o600 });
      return path;
    },
    async token() {
      const { client_id = '', client_secret = '', refresh_token = '' } = config;
      const grant = { client_id, client_secret, refresh_token, grant_type: 'refresh_token' };
      const reply = await post('/oauth/v2/token', new URLSearchParams(grant));
      return (reply as { readonly access_token: string }).access_token;
    },
    async close() {
      child.kill('SIGTERM');
      await gone.catch(() => undefined);
    },
  };
}
