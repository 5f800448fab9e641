// Errors of the page itself, which should not happen: a box says so, with what is needed to report it.
import { type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { local, setLocal } from '../state/local.ts'
import { hello } from '../state/store.ts'
import { openPopup } from './overlay.ts'

const WEEK = 7 * 24 * 60 * 60 * 1_000

interface Failure {
  readonly message: string
  readonly stack: string
}
const failure: Signal<Failure | undefined> = signal(undefined)

export function startErrors(): void {
  addEventListener('error', event => report(event.error ?? event.message))
  addEventListener('unhandledrejection', event => report(event.reason))
}

function report(problem: unknown): void {
  // Said by browsers when a layout takes two rounds; nothing is lost.
  if (String(problem).includes('ResizeObserver loop')) return
  if (problem instanceof DOMException && problem.name === 'AbortError') return
  console.error(problem)
  if (Date.now() < local.value.ignoreErrorsUntil) return
  const error = problem instanceof Error ? problem : new Error(String(problem))
  failure.value = { message: error.message, stack: error.stack ?? '' }
}

export function ErrorBox(): JSX.Element | null {
  const shown = failure.value
  if (shown === undefined) return null
  return (
    <div class="error-box" role="alert">
      <p>
        <b>Something went wrong on this page:</b> {shown.message}
      </p>
      <p class="buttons">
        <button type="button" onClick={() => showDetails(shown)}>
          Details
        </button>
        <button
          type="button"
          onClick={() => {
            setLocal({ ignoreErrorsUntil: Date.now() + WEEK })
            failure.value = undefined
          }}
        >
          Silence for 1 week
        </button>
        <button
          type="button"
          onClick={() => {
            failure.value = undefined
          }}
        >
          Close
        </button>
      </p>
    </div>
  )
}

function showDetails({ message, stack }: Failure): void {
  const text = `${message}\n\n${stack}\n\nmox ${hello.value?.version ?? ''}\n${navigator.userAgent}`
  openPopup({
    title: 'Details of the error',
    closable: true,
    render: () => (
      <>
        <p>The page may go on to work; reloading it is the safe thing. For a report, copy this:</p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well. */}
        <pre class="details" tabIndex={0}>
          {text}
        </pre>
        <p class="buttons">
          <button type="button" onClick={() => void navigator.clipboard.writeText(text)}>
            Copy
          </button>
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </p>
      </>
    ),
  })
}
