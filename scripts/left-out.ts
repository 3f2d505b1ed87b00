/** The last line of `npm test`: what it did not run and why. */
const given = process.env.TAPWORKS_TEST_DATABASE_URL
  ? ' Nor tests that stop and restart a PostgreSQL of their own: TAPWORKS_TEST_DATABASE_URL names a server.'
  : '';
process.stdout.write(
  `Not run here: npm run test:soak (30 kills on the full profile; takes minutes), npm run test:system (alert rules and metrics under promtool, every command of docs/; needs the Debian packages prometheus, sqlite3, jq, curl and postgresql-client), npm run test:interop (public targets for PostgreSQL on the same inputs; needs Python, installs them from PyPI), npm run test:hostile (taps, targets and pipes once more, a byte and a row at a time), npm run bench (figures, not pass or fail).${given}\n`,
);
