import { afterAll } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { targetContract } from '../contract/target.ts';
import { openDatabase } from '../postgres/database.ts';
import { destinationIn } from './postgres.ts';

// A schema per case: a database for each would cost 0.1 s more.
const database = await openDatabase();
let schemas = 0;

targetContract({
  name: 'target-postgres',
  target,
  open: async () => {
    schemas += 1;
    return destinationIn(database, `case_${schemas}`);
  },
  excuses: {
    'the NUL character': 'PostgreSQL cannot store U+0000; null_byte says what happens to it',
  },
});

afterAll(() => database.close());
