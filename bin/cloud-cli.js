#!/usr/bin/env node
const { load } = require('./load.js');

// Until it is known how it ended: a command that stops in the middle has not succeeded.
process.exitCode = 1;
load(process.argv[2])
  .main(process.argv.slice(2))
  .then((status) => {
    process.exitCode = status;
  });
