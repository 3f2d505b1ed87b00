/** The last line of `npm test`: what it did not run and why. */
process.stdout.write(
  'Not run here: npm run test:soak (30 kills on the full profile; takes minutes), npm run test:system (alert rules and metrics under promtool, every command of docs/; needs the Debian packages prometheus, sqlite3, jq and curl), npm run test:hostile (the same tests, a byte and a row at a time), npm run bench (figures, not pass or fail).\n',
);
