/** What a channel is told of runs of tap-dcapi: its own name, and patches beside the systems. */
import { expect, it } from 'vitest';
import { HeldClock } from '../http/held-clock.ts';
import { REPORT, startDcapi } from './dcapi-extraction.ts';

const SETTINGS = {
  streams: ['dcapi_systems', 'patch_system_mapping'],
  pages_per_run: 0,
  checkpoint_pages: 1,
  page_delay_ms: 0,
  max_attempts: 1,
};

async function told(settings: Record<string, number> = {}, failing = false): Promise<string> {
  const extraction = await startDcapi({}, { ...SETTINGS, ...settings }, new HeldClock());
  if (failing)
    extraction.tenant.addFault({ match: { path: REPORT, pages: [2, 2] }, times: 2, action: { type: 'burst503' } });
  const slack_webhook_url = `${extraction.simulator.url}/__sim/slack`;
  const output = await extraction.run({ slack_webhook_url });
  expect(output.events('slack_unavailable')).toEqual([]);
  return extraction.simulator.slack.messages.map(({ text }) => text).join('\n');
}

it('counts the patches of a batch', async () => {
  const text = await told({ pages_per_run: 2 });
  expect(text).toContain('🔄 *PMP DCAPI* extraction started');
  expect(text).toMatch(
    /✅ \*PMP DCAPI\* batch complete: 60 systems extracted \(36\.1% total coverage, [\d,]+ patches, \d requests\)/,
  );
});

it('tells milestones with the patches so far, and the end', async () => {
  const text = await told();
  expect(text).toMatch(/\*PMP DCAPI extraction progress\*\n- Page: \d\/6\n- Systems: \d+\/166 .*\n- Patches: [\d,]+\n/);
  expect(text).toContain('🎉 *PMP DCAPI* extraction complete: 166/166 systems (100%)');
});

it('tells of pages that failed', async () => {
  expect(await told({}, true)).toContain('⚠️ *PMP DCAPI* dcapi_systems: page 2 failed after 1 attempt');
});
