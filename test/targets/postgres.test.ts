import { target } from '../../targets/postgres/target.ts';
import { targetContract } from '../contract/target.ts';
import { openPostgres } from './postgres.ts';

targetContract({
  name: 'target-postgres',
  target,
  open: openPostgres,
  excuses: {
    'the NUL character': 'PostgreSQL cannot store U+0000; null_byte says what happens to it',
  },
});
