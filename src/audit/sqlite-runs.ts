/** How runs are found in the tables of SQLite. */

/** Each run with its events side by side; conditions follow. */
export const run = `
  SELECT p.body AS pending, i.body AS issued, e.body AS ended
  FROM event p
  LEFT JOIN event i ON i.run_id = p.run_id AND i.kind = 'ISSUED'
  LEFT JOIN event e ON e.run_id = p.run_id AND e.kind IN ('SUCCEEDED', 'FAILED')
  WHERE p.kind = 'PENDING'`;

/** The same from its end: each failed run, the one that failed last first. */
export const failedRun = `
  SELECT p.body AS pending, i.body AS issued, e.body AS ended, p.seq AS began_at, e.seq AS ended_at
  FROM event e INDEXED BY event_by_failure
  CROSS JOIN event p ON p.run_id = e.run_id AND p.kind = 'PENDING'
  LEFT JOIN event i ON i.run_id = e.run_id AND i.kind = 'ISSUED'
  WHERE e.kind = 'FAILED'`;

/** A list from a time on that has fewer runs than this is found by their times. */
export const fewRuns = 1000;

/** How a list finds the runs of a status. */
export const statusIs = {
  PENDING: 'p.run_id IN (SELECT run_id FROM flight) AND e.kind IS NULL',
  SUCCEEDED: "e.kind = 'SUCCEEDED'",
  FAILED: "e.kind = 'FAILED'",
} as const;
