// Panels of extensions, above the text: each has an element of its own, and one that fails leaves the message readable.

import type { MessagePanel } from '@mox/plugin-sdk/webmail'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { OpenedMessage } from '../../src/api/model.ts'
import { extensionOf } from '../extend/bound.ts'
import { panels } from '../extend/registry.ts'
import { reasonOf } from '../lib/reason.ts'
import { itemOf } from '../state/lookup.ts'

export function Panels({ message }: { readonly message: OpenedMessage }): JSX.Element {
  const shown = panels.value.filter(p => Object.hasOwn(message.panels, extensionOf(p.id)))
  return (
    <>
      {shown.map(panel => (
        <Panel key={`${message.id} ${panel.id}`} panel={panel} message={message} />
      ))}
    </>
  )
}

function Panel({ panel, message }: { readonly panel: MessagePanel; readonly message: OpenedMessage }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const [problem, setProblem] = useState('')
  useEffect(() => {
    if (box.current === null) return
    const { id, subject, from } = message
    try {
      const about = { id, mailboxId: itemOf(id)?.mailboxId ?? 0, subject, from }
      return panel.mount(box.current, about, message.panels[extensionOf(panel.id)])
    } catch (error) {
      setProblem(reasonOf(error))
    }
    return undefined
  }, [])
  return (
    <section class="message-panel" aria-label={panel.title}>
      <div ref={box} />
      {problem === '' ? null : (
        <p class="problem">
          {panel.title} cannot be shown: {problem}
        </p>
      )}
    </section>
  )
}
