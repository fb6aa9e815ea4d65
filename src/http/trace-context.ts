/** W3C Trace Context: the call that a run belongs to. */

const zeros = /^0+$/;

/** A `traceparent` as it stands, or undefined for one that says nothing (Trace Context level 1, section 3.2). */
export function traceparentOf(headers: Headers): string | undefined {
  const given = headers.get('traceparent') ?? '';
  const [, trace = '', parent = ''] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(given) ?? [];
  return trace === '' || zeros.test(trace) || zeros.test(parent) ? undefined : given;
}
