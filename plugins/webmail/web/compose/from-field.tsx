// Whom a message is from: a choice of one's addresses, or one that is written, and what belongs to an identity.
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Draft } from '../../src/api/model.ts'
import { Icon } from '../frame/icons.tsx'
import { oneLine } from './addresses.ts'
import { fromChoices, identityDefaults } from './begin.ts'
import { htmlOf } from './html-text.ts'
import type { ComposeSession } from './session.ts'
import { withSignature } from './signature.ts'

export function FromField({ session }: { readonly session: ComposeSession }): JSX.Element {
  const { from } = session.draft.value
  const free = useSignal(false)
  const set = (next: string): void => {
    const before = identityDefaults(from)
    const after = identityDefaults(next)
    const { replyTo, bcc } = session.draft.value
    // What belongs to the identity goes with it, unless it was changed.
    const swap = (now: readonly string[], old: readonly string[], fresh: string[]): string[] =>
      now.join() === old.join() ? fresh : [...now]
    session.change({
      from: next,
      replyTo: swap(replyTo, before.replyTo, after.replyTo),
      bcc: swap(bcc, before.bcc, after.bcc),
      ...signed(session.draft.value, before.signature, after.signature),
    })
  }
  return (
    <div class="compose-from">
      <label for={`from-${session.id}`}>From</label>
      {free.value ? (
        <input
          id={`from-${session.id}`}
          type="text"
          maxLength={1_000}
          value={from}
          onInput={event => session.change({ from: oneLine(event.currentTarget.value) })}
        />
      ) : (
        <select id={`from-${session.id}`} value={from} onChange={event => set(event.currentTarget.value)}>
          {fromChoices(from).map(line => (
            <option key={line} value={line}>
              {line}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        class="icon"
        aria-pressed={free.value}
        aria-label="Write another address"
        title="Write another address: one with a suffix, or of a whole domain of yours"
        onClick={() => (free.value = !free.value)}
      >
        <Icon name="write" size={15} />
      </button>
    </div>
  )
}

/** The texts of a draft with another signature. Formatting of the rich one's signature is no reason to keep it. */
function signed({ text, html }: Draft, before: string, after: string): Partial<Draft> {
  const next = withSignature(text, before, after)
  if (next === text) return {}
  if (html === null) return { text: next }
  const [old, fresh] = [htmlOf(before.trimEnd()), htmlOf(after.trimEnd())]
  if (before.trimEnd() !== '' && html.includes(old)) return { text: next, html: html.replace(old, () => fresh) }
  return before.trimEnd() === '' ? { text: next, html: `${html}${htmlOf(`\n${after.trimEnd()}`)}` } : {}
}
