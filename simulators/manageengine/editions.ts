/** Lists that few editions of the server have; nobody has documented their shapes. */
import { Draws } from '../draw.ts';
import { DATA_TIME, DAY, type Dataset } from './dataset.ts';
import { templateIdOf } from './deployments.ts';
import { patchIdOf } from './patches.ts';
import { RowText } from './row-text.ts';
import { cveIdOf, drawnPatches, flawName, vulnerabilityDraws, vulnerabilityFacts } from './vulnerabilities.ts';

function cvssSeverity(score: number): string {
  return score >= 9 ? 'CRITICAL' : score >= 7 ? 'HIGH' : score >= 4 ? 'MEDIUM' : 'LOW';
}

/** One row of `vulnerabilities` as JSON text, with the one to four patches that close it. */
export function vulnerabilitiesRow(data: Dataset, vulnerability: number): string {
  const draws = vulnerabilityDraws(data, vulnerability);
  const { score, published, patches } = vulnerabilityFacts(draws, data);
  const row = new RowText();
  row.string('cve_id', cveIdOf(data, vulnerability)).literal('cvss_score', score);
  row.string('cvss_severity', cvssSeverity(score)).list(
    'patch_ids',
    patches.map((patch) => patchIdOf(data, patch)),
  );
  row.optional(draws, 'description', flawName(vulnerability));
  row.optional(draws, 'published_date', new Date(published).toISOString().slice(0, 10));
  return row.end();
}

/** Customers of one server have a hundred ids each. */
function numberOf(data: Dataset, member: number): number {
  return data.customer * 100 + member + 1;
}

/** Task ids are text like DT-001, every third a number. */
export function taskIdOf(data: Dataset, task: number): string {
  const number = numberOf(data, task);
  return task % 3 === 2 ? String(7_000 + number) : `DT-${String(number).padStart(3, '0')}`;
}

/** One row of `deployment_tasks` as JSON text. */
export function deploymentTasksRow(data: Dataset, task: number): string {
  const draws = new Draws(data.seed, 'deployment_tasks', task);
  const running = draws.chance(0.3);
  const targets = 1 + draws.whole(300);
  const pending = running ? Math.floor(targets * draws.next()) : 0;
  const failures = Math.floor((targets - pending) * draws.next() * 0.1);
  const scheduled = DATA_TIME - draws.whole(90) * DAY;
  const id = taskIdOf(data, task);
  const row = new RowText();
  if (id.startsWith('DT-')) row.string('task_id', id);
  else row.digits('task_id', id);
  row.string('task_name', `Example task ${String(task + 1).padStart(2, '0')}`);
  row.string('task_status', running ? 'IN_PROGRESS' : 'COMPLETED');
  row.string('execution_status', running ? 'RUNNING' : 'SUCCESS').string('platform_name', 'Windows');
  row.literal('target_systems_count', targets).literal('scheduled_time', scheduled);
  row.literal('executed_time', running ? null : scheduled + draws.whole(120) * 60_000);
  row.literal('success_count', targets - pending - failures).literal('failure_count', failures);
  row.literal('pending_count', pending);
  if (draws.chance(0.2)) row.literal('policy_id', null);
  else row.digits('policy_id', templateIdOf(data, draws.whole(data.sizes.policies)));
  return row.end();
}

/** The id of a patch group, in decimal digits. */
export function groupIdOf(data: Dataset, group: number): string {
  return String(500 + numberOf(data, group));
}

/** One row of `patch_groups` as JSON text. */
export function patchGroupsRow(data: Dataset, group: number): string {
  const draws = new Draws(data.seed, 'patch_groups', group);
  const row = new RowText();
  row
    .digits('group_id', groupIdOf(data, group))
    .string('group_name', `Example group ${String(group + 1).padStart(2, '0')}`);
  const patches = drawnPatches(data, draws, 3 + draws.whole(40));
  row.list(
    'patch_ids',
    patches.map((patch) => patchIdOf(data, patch)),
  );
  return row.end();
}
