/**
 * Compiles the shipped folders to `dist/` and marks the executables, so that `npx tap-pmp` works right after `npm ci`. The
 * new folder takes the old one's place at the end: npm builds again when it likes (`npx` in the repository does it), and
 * executables that run meanwhile must find their files.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const fresh = join(root, `.dist-${process.pid}`);
const old = `${fresh}-old`;

execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: root,
  stdio: 'inherit',
});
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> };
for (const file of Object.values(manifest.bin)) chmodSync(join(fresh, file.replace(/^dist\//, '')), 0o755);
if (existsSync(dist)) renameSync(dist, old);
try {
  renameSync(fresh, dist);
} catch (cause) {
  // Another build has put the same files there in this moment.
  if (!existsSync(dist)) throw cause;
}
for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
