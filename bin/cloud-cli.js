#!/usr/bin/env node
const { load } = require('./load.js');

load(process.argv[2])
  .main(process.argv.slice(2))
  .then((status) => {
    process.exitCode = status;
  });
// As Node ends a module that never comes to its end: a command that stops in the middle has not succeeded.
process.once('exit', () => {
  process.exitCode ??= 13;
});
