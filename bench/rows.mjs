/** Every figure, in the order of the table. */
import { commandRows } from './command.mjs';
import { flightRows } from './flight.mjs';
import { ledgerRows } from './ledger.mjs';
import { mintRows } from './mint.mjs';
import { storeRows } from './store.mjs';

export const rows = [...commandRows, ...mintRows, ...flightRows, ...ledgerRows, ...storeRows];

/** A goal as the table writes it. */
export function goalOf({ goal, atLeast = false }) {
  return `${atLeast ? '>=' : '<='} ${goal}`;
}
