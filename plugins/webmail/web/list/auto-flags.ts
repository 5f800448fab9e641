// What looking at a message does to it, on this page.
import { changeFlags } from '../state/actions.ts'
import { itemOf } from '../state/lookup.ts'
import { hello, mailboxes } from '../state/store.ts'
import { Viewed } from './viewed.ts'

/** For the message pane: `show(id)` when a message has loaded, `leave()` when it is shown no more. */
export const viewed: Viewed = new Viewed({
  state(id) {
    const item = itemOf(id)
    if (item === undefined) return undefined
    const mailbox = mailboxes.value.get(item.mailboxId)
    const rejects = hello.value?.rejectsMailbox ?? ''
    const undecided = mailbox?.introbox === true || (rejects !== '' && mailbox?.name === rejects)
    return { flags: item.flags, undecided }
  },
  setFlag: (id, flag) => changeFlags([id], { set: [flag] }, ''),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
})
