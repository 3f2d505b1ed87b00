import { expect, test } from 'vitest';
import { killServiceDesk } from './servicedesk-kills.ts';

test('a pipe killed on either side ends as if nothing had happened', async () => {
  const report = await killServiceDesk(2000, 3, 20_260_301);
  process.stdout.write(`servicedesk-kills ${JSON.stringify(report)}\n`);
  expect(report.kills).toBe(3);
}, 180_000);
