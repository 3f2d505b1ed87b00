/** A certificate that is its own authority, for 127.0.0.1 and localhost. Its key protects nothing: it stands in the open. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

export interface Certificate {
  /** Path of the certificate. */
  readonly caFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export function selfSigned(): Certificate {
  return { caFile: file('cert'), cert: readFileSync(file('cert')), key: readFileSync(file('key')) };
}
