import { Draws } from '../draw.ts';
import { DATA_TIME, DAY, type Dataset, idOf } from './dataset.ts';
import { RowText } from './row-text.ts';

const USERS = 5;

function time(draws: Draws, days: number): number {
  return DATA_TIME - draws.whole(days * 24 * 60) * 60_000;
}

function userName(user: number): string {
  return `Alex Example ${user + 1}`;
}

/** The id of a deployment policy, in decimal digits. */
export function templateIdOf(data: Dataset, policy: number): string {
  return idOf(data, 'template', policy);
}

/** One row of `deploymentpolicies` as JSON text; ManageEngine returns no schedule and no reboot settings. */
export function deploymentPoliciesRow(data: Dataset, policy: number): string {
  const draws = new Draws(data.seed, 'deploymentpolicies', policy);
  const [author, editor] = [draws.whole(USERS), draws.whole(USERS)];
  const created = time(draws, 900);
  const row = new RowText();
  row.digits('template_id', templateIdOf(data, policy));
  row.string('template_name', `Example policy ${String(policy + 1).padStart(2, '0')}`);
  row.digits('user_id', idOf(data, 'user', author)).optional(draws, 'first_name', userName(author));
  row.digits('customer_id', idOf(data, 'customer', 1)).literal('creation_time', created);
  if (draws.chance(0.2)) row.string('modified_time', '--');
  else row.literal('modified_time', created + draws.whole(30) * DAY);
  row.literal('set_as_default', policy === 0).literal('is_template_alive', draws.chance(0.9));
  row.literal('scriptaction.platform_id', 1 + draws.whole(3));
  row.digits('usertodeploytemplaterel.modified_by', idOf(data, 'user', editor));
  row.optional(draws, 'modifieduser.first_name', userName(editor));
  return row.end();
}

/** The id of a patch configuration, in decimal digits. */
export function configurationIdOf(data: Dataset, configuration: number): string {
  return idOf(data, 'configuration', configuration);
}

/** The name that deployments carry on every endpoint. */
export function collectionName(configuration: number): string {
  return `Example deployment ${String(configuration + 1).padStart(3, '0')}`;
}

const STATUSES = ['InProgress', 'Draft', 'Executed', 'Suspended', 'Deployed', 'RetryInProgress', 'Expired'] as const;
const PLATFORMS = ['Windows', 'Mac', 'Linux'] as const;
/** Every so many rows carry their id under the plain name. */
const PLAIN_ID_EVERY = 5;

/** One row of `viewconfig` as JSON text: a patch configuration, its status and how far it got. */
export function viewConfigRow(data: Dataset, configuration: number): string {
  const draws = new Draws(data.seed, 'viewconfig', configuration);
  const id = configurationIdOf(data, configuration);
  const status = draws.pick(STATUSES);
  const share = draws.next();
  const platform = share < 0.9 ? 1 : share < 0.96 ? 2 : 3;
  const targets = status === 'Draft' ? 0 : 1 + draws.whole(Math.min(400, data.sizes.systems));
  const open = status === 'InProgress' || status === 'RetryInProgress' ? Math.floor(targets * draws.next()) : 0;
  const retrying = status === 'RetryInProgress' ? Math.ceil(open / 2) : 0;
  const reached = targets - open;
  const failed = Math.floor(reached * draws.next() * 0.1);
  const skipped = Math.floor((reached - failed) * draws.next() * 0.1);
  const summary = (name: string): string => `collectionstatussummary.${name}_count`;
  const row = new RowText();
  // The vendor names the key after its table in most rows, so a client must look in both places.
  row.digits(configuration % PLAIN_ID_EVERY === PLAIN_ID_EVERY - 1 ? 'config_id' : 'configurationparams.config_id', id);
  row.digits('collection_id', idOf(data, 'collection', configuration));
  row.string('collection.collection_name', collectionName(configuration));
  row.string('collectionstatus.status', status).string('statuslabel', `dc.common.${status.toUpperCase()}`);
  row.digits('customer_id', idOf(data, 'customer', 1));
  row.string('os_platform_name', PLATFORMS[platform - 1] ?? 'Windows').literal('collection_platform_id', platform);
  row.literal(summary('total_target'), targets).literal(summary('success'), reached - failed - skipped);
  row.literal(summary('failed'), failed).literal(summary('yet_to_apply'), open - retrying);
  row.literal(summary('retry_inprogress'), retrying).literal(summary('not_applicable'), skipped);
  row.optional(draws, 'collection.modified_time', time(draws, 400));
  row.optional(draws, 'createduser.first_name', userName(draws.whole(USERS)));
  row.optional(draws, 'modifieduser.first_name', userName(draws.whole(USERS)));
  return row.end();
}
