/** The last line of `npm test`: what it did not run and why. */
process.stdout.write(
  'Not run here: npm run test:soak (30 kills on the full profile; takes minutes), npm run test:hostile (the same tests, a byte and a row at a time), npm run bench (figures, not pass or fail).\n',
);
