/** The kinds of faults: at which points each can happen, and what it does there. */
import { constants } from 'node:os';

const { EACCES, EAGAIN, EIO, EMFILE } = constants.errno;

/** What each call can fail with, besides what the kinds below are about. */
const errors = {
  create: [EIO, EACCES, EMFILE],
  open: [EIO, EACCES, EMFILE],
  read: [EIO],
  write: [EIO],
  fsync: [EIO],
  truncate: [EIO],
  chmod: [EIO],
  mkdir: [EIO, EACCES],
  link: [EIO, EACCES],
  rename: [EIO, EACCES],
  unlink: [EIO, EACCES],
  lock: [EIO],
  fork: [EAGAIN],
};

const grows = ['write', 'create', 'mkdir', 'link'];
const changes = [...grows, 'rename', 'unlink', 'chmod', 'truncate'];
const hour = 3_600_000;

/**
 * `at` says whether a point can have it, `make` gives the fault there; `share` is how often it is drawn. A kind that
 * `dies` ends the process.
 */
export const kinds = {
  crash: {
    share: 26,
    dies: true,
    at: () => true,
    make: (point, { pick }) => ({
      effect: pick(
        point.call === 'write' ? ['kill-before', 'kill-half', 'kill-after'] : ['kill-before', 'kill-after'],
      ),
    }),
  },
  'power cut': { share: 14, cuts: true, at: () => true, make: () => ({}) },
  error: {
    share: 18,
    at: ({ call }) => call in errors,
    make: ({ call, file }, { pick }) =>
      file === 'pipe' && pick([true, false])
        ? { effect: 'end' }
        : { effect: 'fail', argument: pick(errors[call]), left: pick([0, -1]) },
  },
  hang: {
    share: 7,
    at: ({ call, file }) => call !== 'mark' && file !== 'pipe',
    make: () => ({ effect: 'stall', argument: 200 }),
  },
  full: { share: 8, at: ({ call }) => grows.includes(call), make: () => ({ effect: 'full', left: -1 }) },
  'read-only': {
    share: 6,
    at: ({ call }) => changes.includes(call),
    make: () => ({ effect: 'readonly', left: -1 }),
  },
  locked: {
    share: 5,
    at: ({ call }) => call === 'lock',
    make: (_, { pick }) => ({ effect: 'locked', left: pick([3, 8, -1]) }),
  },
  corrupt: {
    share: 5,
    at: ({ call }) => call === 'mark',
    make: (_, { pick, next }) => ({
      flip: pick(['.sqlite', '.sqlite-wal', '.age', 'identity.txt']),
      place: next(),
    }),
  },
  clock: {
    share: 6,
    // Before the run began there was nothing to compare the clock with.
    at: ({ call, mark }) => call === 'mark' && !['open', 'PENDING'].includes(mark),
    make: (_, { pick }) => ({
      clock: pick(['Date', 'Date', 'uptime']),
      ms: pick([-24 * hour, -2 * hour, -30_000, 30_000, 2 * hour, 24 * hour]),
    }),
  },
  signal: {
    share: 5,
    at: () => true,
    make: (_, { pick }) => ({ effect: 'raise', argument: constants.signals[pick(['SIGTERM', 'SIGINT'])] }),
  },
};
