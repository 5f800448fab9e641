// Leaving a mailing list: says what will happen, does it, says what came of it.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { OpenedMessage } from '../../src/api/model.ts'
import { openPopup } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { reasonOf } from '../lib/reason.ts'
import { webUrl } from './text.ts'

type Way = NonNullable<OpenedMessage['unsubscribe']>

export function confirmUnsubscribe({ id, unsubscribe: way, listId, from }: OpenedMessage): void {
  if (way === null) return
  const list = listId || from[0]?.address || 'this list'
  openPopup({
    title: 'Unsubscribe',
    closable: true,
    render: close => <Unsubscribe id={id} list={list} way={way} close={close} />,
  })
}

/** What pressing the button does. */
export function explain({ kind, target }: Way): string {
  if (kind === 'oneclick')
    return `The server tells ${hostOf(target)} that you want no more of it. Nothing else is sent.`
  const address = target.replace(/^mailto:/i, '').replace(/\?.*$/s, '')
  if (kind === 'mailto') return `A mail that asks to be taken off the list is sent to ${decoded(address)}, from you.`
  return `The list is left on a page of ${hostOf(target)}, which sees that you open it.`
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function Unsubscribe(props: {
  readonly id: number
  readonly list: string
  readonly way: Way
  close(): void
}): JSX.Element {
  const { id, list, way, close } = props
  const [state, setState] = useState<'asking' | 'working' | 'done' | 'failed'>('asking')
  const [text, setText] = useState('')
  const run = async (): Promise<void> => {
    setState('working')
    try {
      const answer = await call('unsubscribe', { id })
      setText(answer.text)
      setState(answer.done ? 'done' : 'failed')
    } catch (error) {
      setText(reasonOf(error))
      setState('failed')
    }
  }
  const page = way.kind === 'web' ? webUrl(way.target) : undefined
  return (
    <>
      <p>
        Leave <b>{list}</b>? {explain(way)}
      </p>
      <p role="status" class={state === 'failed' ? 'problem' : ''}>
        {state === 'working' ? 'Unsubscribing…' : text}
      </p>
      <p class="buttons">
        <button type="button" onClick={close}>
          {state === 'done' ? 'Close' : 'Cancel'}
        </button>
        {state === 'done' ? null : page !== undefined ? (
          <a class="button primary" href={page} target="_blank" rel="noopener noreferrer" onClick={close}>
            Open the page
          </a>
        ) : way.kind === 'web' ? null : (
          <button type="button" class="primary" disabled={state === 'working'} onClick={() => void run()}>
            {state === 'failed' ? 'Try again' : 'Unsubscribe'}
          </button>
        )}
      </p>
    </>
  )
}
