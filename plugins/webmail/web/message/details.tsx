// Popups about a message for those who want to know more: its way here or from here, and its insides.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { TraceStep } from '../../src/api/model.ts'
import { Loaded } from '../frame/loaded.tsx'
import { openPopup } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { durationText, entriesOf, type Journey, journeys, kindOf } from './trace.ts'

export function openTrace(id: number): void {
  openPopup({
    title: 'The way of this message',
    closable: true,
    render: () => <Loaded waiting="Loading…" load={() => call('trace', { id })} show={trace => <Trace {...trace} />} />,
  })
}

export function openInternals(id: number): void {
  openPopup({
    title: 'Internals',
    closable: true,
    render: () => (
      <Loaded waiting="Loading…" load={() => call('internals', { id })} show={insides => <Internals {...insides} />} />
    ),
  })
}

function Trace(props: { readonly steps: readonly TraceStep[]; readonly complete: boolean }): JSX.Element {
  const { steps, complete } = props
  if (steps.length === 0)
    return (
      <p>
        {complete
          ? 'This message was put into the mailbox by a program or an import: it was never on its way through this server.'
          : 'Nothing is known of its way any more.'}
      </p>
    )
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well.
    <div class="trace" tabIndex={0}>
      {complete ? null : <p class="notice">There is more than is shown, or some of it is not known any more.</p>}
      {journeys(steps).map(journey => (
        <Timeline key={journey.recipient} journey={journey} />
      ))}
    </div>
  )
}

function Timeline({ journey: { recipient, steps, end } }: { readonly journey: Journey }): JSX.Element {
  return (
    <section>
      <h3>
        {recipient === '' ? 'The whole message' : <bdi>{recipient}</bdi>}
        <span class={`verdict-chip ${end.kind}`}>{end.text}</span>
      </h3>
      <ol>
        {entriesOf(steps).map((entry, i) =>
          entry.kind === 'step' ? <Step key={i} step={entry.step} /> : <Passed key={i} steps={entry.steps} />,
        )}
      </ol>
    </section>
  )
}

/** What had nothing to say: in one line, unless asked for. */
function Passed({ steps }: { readonly steps: readonly TraceStep[] }): JSX.Element {
  const [open, setOpen] = useState(false)
  if (open)
    return (
      <>
        {steps.map((step, i) => (
          <Step key={i} step={step} />
        ))}
      </>
    )
  return (
    <li class="passed">
      <button type="button" class="link" onClick={() => setOpen(true)}>
        {steps.length} {steps.length === 1 ? 'check' : 'checks'} passed
      </button>
    </li>
  )
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

function Step({ step }: { readonly step: TraceStep }): JSX.Element {
  const { at, stage, plugin, verdict, text, ms } = step
  return (
    <li class={kindOf(verdict)}>
      <span class="stage">
        {stage}
        {plugin === '' ? null : <small> {plugin}</small>}
      </span>
      <b>{verdict}</b>
      <small class="when">
        {[at === null ? '' : TIME.format(at), durationText(ms)].filter(t => t !== '').join(', ')}
      </small>
      {text === '' ? null : <span class="said">{text}</span>}
    </li>
  )
}

function Internals(props: {
  readonly structure?: unknown
  readonly record?: unknown
  readonly part?: unknown
}): JSX.Element {
  const columns = [
    ['MIME structure', props.structure],
    ['Stored record', props.record],
    ['Parsed parts', props.part],
  ] as const
  return (
    <div class="internals">
      {columns.map(([title, value]) => (
        <section key={title}>
          <h3>{title}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well. */}
          <pre class="scroll" tabIndex={0}>
            {JSON.stringify(value, undefined, 2)}
          </pre>
        </section>
      ))}
    </div>
  )
}
