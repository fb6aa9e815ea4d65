/**
 * Metrics in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4). Not by
 * prom-client: it loads node:cluster, and the admin side must reach nothing that can start a process.
 */
import type { Answer } from './answer.js';

type Labels = Readonly<Record<string, string>>;

/** A metric's lines at the time of a scrape. */
export interface Metric {
  lines(): string[] | Promise<string[]>;
}

/** Counts observations by labels, and how many stayed within each of `buckets`. */
export class Histogram implements Metric {
  readonly #series = new Map<string, { labels: Labels; within: number[]; count: number; sum: number }>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly buckets: readonly number[],
  ) {}

  observe(labels: Labels, value: number): void {
    const id = JSON.stringify(labels);
    const series = this.#series.get(id) ?? { labels, within: this.buckets.map(() => 0), count: 0, sum: 0 };
    this.#series.set(id, series);
    series.count += 1;
    series.sum += value;
    for (const [index, bound] of this.buckets.entries()) if (value <= bound) series.within[index]! += 1;
  }

  lines(): string[] {
    const lines = [...this.#series.values()].flatMap(({ labels, within, count, sum }) => [
      ...this.buckets.map((bound, index) =>
        line(`${this.name}_bucket`, { ...labels, le: String(bound) }, within[index]!),
      ),
      line(`${this.name}_bucket`, { ...labels, le: '+Inf' }, count),
      line(`${this.name}_sum`, labels, sum),
      line(`${this.name}_count`, labels, count),
    ]);
    return [...heading(this.name, this.help, 'histogram'), ...lines];
  }
}

/** A value, or one for each set of labels, that is read at each scrape; one that cannot be read is left out. */
export class Gauge implements Metric {
  constructor(
    readonly name: string,
    readonly help: string,
    readonly read: () => Promise<readonly { labels?: Labels; value: number }[]>,
  ) {}

  async lines(): Promise<string[]> {
    const values = await this.read().catch(() => []);
    const lines = values.map(({ labels = {}, value }) => line(this.name, labels, value));
    return lines.length === 0 ? [] : [...heading(this.name, this.help, 'gauge'), ...lines];
  }
}

/** The answer to a scrape. */
export async function expose(metrics: readonly Metric[]): Promise<Answer> {
  const lines = (await Promise.all(metrics.map((metric) => metric.lines()))).flat();
  return {
    headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: lines.map((text) => `${text}\n`).join(''),
  };
}

function heading(name: string, help: string, type: string): string[] {
  return [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
