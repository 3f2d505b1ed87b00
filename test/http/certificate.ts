/** A certificate authority of one's own, made by openssl for one test run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** Path of the certificate, which is its own authority. */
  readonly caFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
  remove(): void;
}

/** Self-signed, for 127.0.0.1 and localhost. */
export function selfSigned(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'tapworks-tls-'));
  const [caFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', caFile], { stdio: 'pipe' });
  return {
    caFile,
    cert: readFileSync(caFile),
    key: readFileSync(keyFile),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
