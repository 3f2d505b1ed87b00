import { target } from '../../targets/sqlite/target.ts';
import { targetContract } from '../contract/target.ts';
import { openSqlite } from './sqlite.ts';

targetContract({ name: 'target-sqlite', target, open: openSqlite, excuses: {} });
