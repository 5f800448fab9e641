// Addresses of a message: each is a button that says what can be done with it.
import type { ComponentChild, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { NameAddress, OpenedMessage } from '../../src/api/model.ts'
import { openCompose } from '../compose/windows.tsx'
import { openPopover, toast } from '../frame/overlay.ts'
import { openSearch } from '../state/navigate.ts'
import { Marked } from './marked.tsx'

/** Addresses that are shown where there are more than MANY. */
const FIRST = 4
const MANY = 5

export function People({ list }: { readonly list: readonly NameAddress[] }): JSX.Element {
  const [all, setAll] = useState(false)
  const shown = all || list.length <= MANY ? list : list.slice(0, FIRST)
  return (
    <>
      {shown.map((person, i) => (
        <span key={i} class="person-item">
          <Person person={person} />
          {i < list.length - 1 ? ', ' : ''}
        </span>
      ))}
      {shown.length === list.length ? null : (
        <button type="button" class="small" onClick={() => setAll(true)}>
          {list.length - shown.length} more…
        </button>
      )}
    </>
  )
}

function Person({ person }: { readonly person: NameAddress }): JSX.Element {
  const { name, address } = person
  const ascii = asciiAddress(address)
  return (
    <button
      type="button"
      class="person"
      aria-haspopup="dialog"
      title={ascii === address ? undefined : `In ASCII: ${ascii}`}
      onClick={event => openPerson(event.currentTarget, person)}
    >
      {name === '' ? null : (
        <bdi class="name">
          <Marked text={name} />
        </bdi>
      )}
      <bdi class={name === '' ? 'name' : 'address'}>
        {name === '' ? <Marked text={address} /> : <Angled text={address} />}
      </bdi>
    </button>
  )
}

function Angled({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      {'<'}
      <Marked text={text} />
      {'>'}
    </>
  )
}

/** The domain as DNS has it. */
export function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@')
  const url = `http://${address.slice(at + 1)}`
  return at < 0 || !URL.canParse(url) ? address : `${address.slice(0, at + 1)}${new URL(url).hostname}`
}

function openPerson(anchor: HTMLElement, { name, address }: NameAddress): void {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(address)
    toast({ text: `${address} copied` })
  }
  const choices: readonly (readonly [title: string, run: () => unknown])[] = [
    ['Write to', () => openCompose({ kind: 'new', mailto: `mailto:${encodeURIComponent(address)}` })],
    ['Search messages from', () => openSearch(`f:"${address.replaceAll('"', '""')}"`)],
    ['Search messages to', () => openSearch(`t:"${address.replaceAll('"', '""')}"`)],
    ['Copy address', copy],
  ]
  openPopover({
    anchor,
    label: name === '' ? address : `${name} <${address}>`,
    render: close => (
      <div class="menu">
        <p class="menu-title">
          <bdi>
            <Marked text={address} />
          </bdi>
        </p>
        {choices.map(([title, run]) => (
          <button
            key={title}
            type="button"
            onClick={() => {
              close()
              void run()
            }}
          >
            {title}
          </button>
        ))}
      </div>
    ),
  })
}

const VERDICTS: Readonly<Record<OpenedMessage['authentication'], readonly [word: string, title: string]>> = {
  pass: ['✓ verified', 'The domain in From is who sent this message.'],
  forwarded: [
    '↪ forwarded',
    'Forwarded, or through a mailing list: whether the domain in From sent it could not be checked.',
  ],
  fail: ['⚠ not verified', 'The domain in From has not said that it sent this message: it may be somebody else.'],
  unknown: ['', 'Whether the domain in From sent this message is not known.'],
}

/** Who wrote it, and whether that is so: by words and line, not by colour alone. */
export function Sender(props: {
  readonly from: readonly NameAddress[]
  readonly authentication: OpenedMessage['authentication']
}): JSX.Element {
  const { from, authentication } = props
  if (from.length !== 1) return <People list={from} />
  const [word, title] = VERDICTS[authentication]
  const verdict: ComponentChild =
    word === '' ? null : (
      <span class="verdict" title={title}>
        {word}
      </span>
    )
  return (
    <span class={`sender ${authentication}`} title={title}>
      <People list={from} />
      {verdict}
    </span>
  )
}
