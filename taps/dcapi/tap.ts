/** `tap-dcapi`: which patch is installed or missing on which system, from the DCAPI of ManageEngine's products. */
import { TAP_CAPABILITIES, type Tap } from '../../singer/stream.ts';
import { booksOf } from '../manageengine/bookkeeping.ts';
import { type Connection, connect } from '../manageengine/connection.ts';
import { withoutPersonalFields } from '../manageengine/personal.ts';
import { SETTINGS, settingRules } from '../manageengine/settings.ts';
import { type Product, readSnapshot } from '../manageengine/snapshot.ts';
import { actionsFor, stateOf } from '../manageengine/status.ts';
import { declarationsOf } from '../manageengine/streams.ts';
import { STREAMS } from './streams.ts';

const books = booksOf('dcapi_');

const PRODUCT: Product = { title: 'PMP DCAPI', books, everyCustomer: true };

export const tap: Tap<Connection> = {
  name: 'tap-dcapi',
  description: 'ManageEngine DCAPI: which patch is installed or missing on which system, resumable page by page',
  settings: {
    properties: {
      ...SETTINGS,
      customer_name: {
        ...SETTINGS.customer_name,
        description: 'Customer to read, by its exact name (MSP servers); absent reads all customers in turn.',
      },
      page_size: {
        ...SETTINGS.page_size,
        description: 'Systems (or rows) per page to ask for; absent leaves it to the server (30).',
      },
    },
  },
  capabilities: TAP_CAPABILITIES,
  rules: settingRules,
  streams: [...declarationsOf(STREAMS), ...books.streams],
  adjust: withoutPersonalFields,
  state: stateOf(STREAMS),
  actions: actionsFor(STREAMS),
  connect,
  read: (connection, request, run) => readSnapshot('tap-dcapi', STREAMS, connection, request, run, PRODUCT),
};
