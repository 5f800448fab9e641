// A question or a text in front of the page. The rest of the page is out of reach meanwhile, and the focus comes back to where
// it was. Escape closes it, and changes nothing.
import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

interface ModalProps {
  readonly title: string
  /** Id of the text that says more. */
  readonly what?: string
  readonly wide?: boolean
  readonly onClose: () => void
  readonly children: ComponentChildren
}

export function Modal({ title, what, wide, onClose, children }: ModalProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const gone = useRef(false)
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => {
      // The event comes later, when another one may be open.
      gone.current = true
      element?.close()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={wide ? 'modal wide' : 'modal'}
      aria-labelledby="modal-title"
      aria-describedby={what}
      onClose={() => {
        if (!gone.current) onClose()
      }}
    >
      <h2 id="modal-title">{title}</h2>
      {children}
    </dialog>
  )
}
