import { expect, test } from 'vitest'
import { createMetrics, LABEL_LENGTH, SERIES_LIMIT } from '../src/base/metrics.ts'

async function text(work: (m: ReturnType<typeof createMetrics>) => void): Promise<string> {
  const metrics = createMetrics()
  work(metrics)
  return (await metrics.render()).replace(
    /# HELP mox_metrics_dropped_total.*\n# TYPE mox_metrics_dropped_total counter\n/,
    '',
  )
}

test('counters, gauges and histograms in the text format', async () => {
  const out = await text(m => {
    const c = m.counter('mox_c_total', 'Things\nwith \\ in help.')
    c.inc()
    c.inc({ b: '2', a: 'x"\\\ny' }, 2.5)
    c.inc({ a: 'x"\\\ny', b: '2' })
    c.inc({}, -1)
    m.gauge('mox_g', 'Level.').set(-1.5)
    const h = m.histogram('mox_h_seconds', 'Time.', [0.1, 1])
    for (const value of [0.1, 0.5, 2, Number.NaN]) h.observe(value, { code: '250' })
  })
  expect(out).toBe(`# HELP mox_c_total Things\\nwith \\\\ in help.
# TYPE mox_c_total counter
mox_c_total 1
mox_c_total{a="x\\"\\\\\\ny",b="2"} 3.5
# HELP mox_g Level.
# TYPE mox_g gauge
mox_g -1.5
# HELP mox_h_seconds Time.
# TYPE mox_h_seconds histogram
mox_h_seconds_bucket{code="250",le="0.1"} 1
mox_h_seconds_bucket{code="250",le="1"} 2
mox_h_seconds_bucket{code="250",le="+Inf"} 3
mox_h_seconds_sum{code="250"} 2.6
mox_h_seconds_count{code="250"} 3
`)
})

test('declared twice is the same metric; another kind is a mistake', async () => {
  const out = await text(m => {
    m.counter('mox_x', 'X.').inc()
    m.counter('mox_x', 'X again.').inc()
    expect(() => m.gauge('mox_x', 'X.')).toThrow('metric mox_x is a counter already, not a gauge')
    expect(() => m.counter('x', 'X.')).toThrow('names are lower case and start with mox_')
    expect(() => m.histogram('mox_y', 'Y.', [1, 1])).toThrow('buckets are finite and ascending')
  })
  expect(out).toContain('mox_x 2\n')
})

test('collectors run before each rendering', async () => {
  const metrics = createMetrics()
  const gauge = metrics.gauge('mox_n', 'N.')
  let n = 0
  metrics.collect(async () => gauge.set(++n))
  expect(await metrics.render()).toContain('mox_n 1\n')
  expect(await metrics.render()).toContain('mox_n 2\n')
})

test('series and label values are bounded', async () => {
  const metrics = createMetrics()
  const c = metrics.counter('mox_c', 'C.')
  for (let i = 0; i < SERIES_LIMIT; i++) c.inc({ i: String(i) })
  expect(await metrics.render()).not.toContain('mox_metrics_dropped_total{')
  c.inc({ i: 'one more' })
  c.inc({ i: '0' })
  const out = await metrics.render()
  expect(out).toContain('mox_metrics_dropped_total{metric="mox_c"} 1\n')
  expect(out).toContain('mox_c{i="0"} 2\n')
  expect(out).not.toContain('one more')
  metrics.gauge('mox_g', 'G.').set(1, { v: 'x'.repeat(LABEL_LENGTH + 1) })
  expect(await metrics.render()).toContain(`mox_g{v="${'x'.repeat(LABEL_LENGTH)}"} 1\n`)
})
