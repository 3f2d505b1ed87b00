import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
}

/** `npm ci --strict-allow-scripts` would tell, but only of the packages of the platform it runs on. */
test('package.json says of every package with an install script whether it may run, on every platform', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
  const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    allowScripts: Readonly<Record<string, boolean>>;
  };
  const named = (path: string) => path.replace(/^.*node_modules\//, '');
  const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  expect(scripted.map(named).filter((name) => !(name in allowScripts))).toEqual([]);
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
  expect(allowed.filter((name) => !scripted.map(named).includes(name))).toEqual([]);
});
