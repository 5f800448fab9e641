// Counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4). Labels may come from
// outside, so the series of one metric are bounded: more are not kept, and mox_metrics_dropped_total counts what was
// lost.
import type { Labels, Metrics } from '@mox/plugin-sdk'

/** Series (combinations of label values) of one metric. */
export const SERIES_LIMIT = 10_000
/** Characters of one label value; longer ones are cut. */
export const LABEL_LENGTH = 256

type Kind = 'counter' | 'gauge' | 'histogram'

interface Series {
  /** `a="b",c="d"`, '' without labels. */
  readonly labels: string
  value: number
  /** Histograms: observations per bucket, not cumulative, the last for +Inf. */
  readonly counts: number[]
  sum: number
}

interface Metric {
  readonly name: string
  readonly help: string
  readonly kind: Kind
  readonly buckets: readonly number[]
  readonly series: Map<string, Series>
  /** The same series by their labels as they were given: formatting and sorting labels costs more than counting. */
  readonly given: Map<string, Series>
}

export interface MetricInfo {
  readonly name: string
  readonly kind: Kind
  readonly help: string
}

export interface MetricsRegistry extends Metrics {
  /** What was declared so far, by name. */
  list(): readonly MetricInfo[]
}

export function createMetrics(): MetricsRegistry {
  const metrics = new Map<string, Metric>()
  const collectors: (() => void | Promise<void>)[] = []

  const declare = (kind: Kind, name: string, help: string, buckets: readonly number[] = []): Metric => {
    const known = metrics.get(name)
    if (known !== undefined) {
      if (known.kind !== kind) throw new Error(`metric ${name} is a ${known.kind} already, not a ${kind}`)
      return known
    }
    if (!/^mox_[a-z0-9_]{1,100}$/.test(name))
      throw new Error(`metric ${name}: names are lower case and start with mox_`)
    if (buckets.some((b, i) => !Number.isFinite(b) || b <= (buckets[i - 1] ?? Number.NEGATIVE_INFINITY)))
      throw new Error(`metric ${name}: buckets are finite and ascending`)
    const metric: Metric = { name, help, kind, buckets, series: new Map(), given: new Map() }
    metrics.set(name, metric)
    return metric
  }

  const dropped = declare(
    'counter',
    'mox_metrics_dropped_total',
    'Values not kept, since a metric had too many series.',
  )

  const seriesOf = (metric: Metric, labels: Labels | undefined): Series | undefined => {
    const given = labels === undefined ? '' : joinLabels(labels)
    const known = metric.given.get(given)
    if (known !== undefined) return known
    const key = labels === undefined ? '' : formatLabels(labels)
    let series = metric.series.get(key)
    if (series === undefined) {
      if (metric.series.size >= SERIES_LIMIT) {
        seriesOf(dropped, { metric: metric.name })!.value++
        return undefined
      }
      series = { labels: key, value: 0, counts: new Array<number>(metric.buckets.length + 1).fill(0), sum: 0 }
      metric.series.set(key, series)
    }
    // Several spellings may mean one series: cut labels, other orders.
    if (metric.given.size < SERIES_LIMIT && given.length <= LABEL_LENGTH) metric.given.set(given, series)
    return series
  }

  return {
    counter(name, help) {
      const metric = declare('counter', name, help)
      return {
        inc(labels, by = 1) {
          const series = by >= 0 ? seriesOf(metric, labels) : undefined
          if (series !== undefined) series.value += by
        },
      }
    },
    gauge(name, help) {
      const metric = declare('gauge', name, help)
      return {
        set(value, labels) {
          const series = seriesOf(metric, labels)
          if (series !== undefined) series.value = value
        },
      }
    },
    histogram(name, help, buckets) {
      const metric = declare('histogram', name, help, buckets)
      return {
        observe(value, labels) {
          const series = seriesOf(metric, labels)
          if (series === undefined || Number.isNaN(value)) return
          const at = metric.buckets.findIndex(bound => value <= bound)
          const index = at < 0 ? metric.buckets.length : at
          series.counts[index] = (series.counts[index] ?? 0) + 1
          series.sum += value
        },
      }
    },
    collect: work => void collectors.push(work),
    async render() {
      for (const work of collectors) await work()
      return [...metrics.values()].sort(byName).map(formatMetric).join('')
    },
    list: () => [...metrics.values()].sort(byName).map(({ name, kind, help }) => ({ name, kind, help })),
  }
}

const byName = (a: Metric, b: Metric): number => (a.name < b.name ? -1 : 1)

function joinLabels(labels: Labels): string {
  let joined = ''
  // With the lengths, so that no value can look like two.
  for (const name in labels) {
    const value = String(labels[name])
    joined += `${name}=${value.length}:${value},`
  }
  return joined
}

function formatLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name.replace(/\W/g, '_')}="${escapeLabel(String(value).slice(0, LABEL_LENGTH))}"`)
    .sort()
    .join(',')
}

const escapeLabel = (text: string): string =>
  text.toWellFormed().replace(/[\\"\n]/g, c => (c === '\n' ? '\\n' : `\\${c}`))

function formatMetric(metric: Metric): string {
  const help = metric.help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
  let out = `# HELP ${metric.name} ${help}\n# TYPE ${metric.name} ${metric.kind}\n`
  for (const series of metric.series.values())
    out +=
      metric.kind === 'histogram'
        ? formatHistogram(metric, series)
        : `${line(metric.name, series.labels)} ${formatNumber(series.value)}\n`
  return out
}

function formatHistogram(metric: Metric, series: Series): string {
  let out = ''
  let count = 0
  for (const [i, n] of series.counts.entries()) {
    count += n
    const bound = `le="${formatNumber(metric.buckets[i] ?? Number.POSITIVE_INFINITY)}"`
    out += `${line(`${metric.name}_bucket`, series.labels === '' ? bound : `${series.labels},${bound}`)} ${count}\n`
  }
  out += `${line(`${metric.name}_sum`, series.labels)} ${formatNumber(series.sum)}\n`
  return `${out}${line(`${metric.name}_count`, series.labels)} ${count}\n`
}

const line = (name: string, labels: string): string => (labels === '' ? name : `${name}{${labels}}`)

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
