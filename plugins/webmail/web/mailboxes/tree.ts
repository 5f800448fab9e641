// The mailboxes as a tree: in which order, how deep, and what a row shows. Pure.
import type { Mailbox } from '../../src/api/model.ts'

export interface Row {
  readonly mailbox: Mailbox
  /** What of the name is not said by the rows above it. */
  readonly label: string
  /** 1 for the top. */
  readonly level: number
  /** Among the rows with the same parent, from 1. */
  readonly position: number
  readonly siblings: number
  readonly parent: number | undefined
  readonly hasChildren: boolean
  readonly collapsed: boolean
  /** Of the mailbox; of a collapsed one and all below it. */
  readonly unread: number
  readonly total: number
}

const STEMS = ['inbox', 'draft', 'sent', 'archive', 'trash', 'junk'] as const
const ROLE_STEMS = { drafts: 'draft', sent: 'sent', archive: 'archive', trash: 'trash', junk: 'junk' } as const

/** The rank of the mailbox of first-time senders, between those of the stems. */
const BEHIND_INBOX = 0.5

/** Mailboxes that are used for something come first, by their name or role; the others by name, parents before children. */
export function sortMailboxes(all: readonly Mailbox[]): Mailbox[] {
  const roles = new Map(all.map(m => [m.name, m.specialUse[0]]))
  const intro = all.find(m => m.introbox)?.name.split('/')[0]
  const rank = (first: string): number => {
    if (first === intro && first.toLowerCase() !== 'inbox') return BEHIND_INBOX
    const role = roles.get(first)
    const stem = role === undefined ? STEMS.find(s => first.toLowerCase().startsWith(s)) : ROLE_STEMS[role]
    return stem === undefined ? STEMS.length : STEMS.indexOf(stem)
  }
  return [...all].sort((a, b) => {
    const one = a.name.split('/')
    const other = b.name.split('/')
    const byRank = rank(one[0]!) - rank(other[0]!)
    if (byRank !== 0) return byRank
    for (let n = 0; n < Math.min(one.length, other.length); n++) {
      const order = one[n]!.localeCompare(other[n]!, undefined, { numeric: true, sensitivity: 'base' })
      if (order !== 0) return order
      if (one[n] !== other[n]) return one[n]! < other[n]! ? -1 : 1
    }
    return one.length - other.length
  })
}

interface Node {
  readonly mailbox: Mailbox
  readonly label: string
  readonly parent: Node | undefined
  readonly children: Node[]
}

/** The rows that are shown: those below a collapsed one are not. */
export function treeRows(all: readonly Mailbox[], collapsed: ReadonlySet<number>): Row[] {
  const rows: Row[] = []
  const show = (nodes: readonly Node[], level: number): void => {
    for (const [n, node] of nodes.entries()) {
      const { mailbox, label, parent, children } = node
      const hidden = collapsed.has(mailbox.id) && children.length > 0
      const sums = hidden ? sumOf(node) : mailbox
      rows.push({
        ...{ mailbox, label, level, position: n + 1, siblings: nodes.length, parent: parent?.mailbox.id },
        ...{ hasChildren: children.length > 0, collapsed: hidden, unread: sums.unread, total: sums.total },
      })
      if (!hidden) show(children, level + 1)
    }
  }
  show(nodesOf(all), 1)
  return rows
}

function nodesOf(all: readonly Mailbox[]): Node[] {
  const top: Node[] = []
  const byName = new Map<string, Node>()
  for (const mailbox of sortMailboxes(all)) {
    // The closest ancestor that is there: a gap is shown in the label.
    let parent: Node | undefined
    for (
      let at = mailbox.name.lastIndexOf('/');
      at > 0 && parent === undefined;
      at = mailbox.name.lastIndexOf('/', at - 1)
    )
      parent = byName.get(mailbox.name.slice(0, at))
    const label = parent === undefined ? mailbox.name : mailbox.name.slice(parent.mailbox.name.length + 1)
    const node = { mailbox, label, parent, children: [] }
    byName.set(mailbox.name, node)
    ;(parent?.children ?? top).push(node)
  }
  return top
}

function sumOf(node: Node): { readonly unread: number; readonly total: number } {
  let { unread, total } = node.mailbox
  for (const child of node.children) {
    const below = sumOf(child)
    unread += below.unread
    total += below.total
  }
  return { unread, total }
}

export function isInbox(mailbox: Mailbox): boolean {
  return mailbox.name.toLowerCase() === 'inbox'
}

export function isLeaf(mailbox: Mailbox, all: Iterable<Mailbox>): boolean {
  for (const other of all) if (other.name.startsWith(`${mailbox.name}/`)) return false
  return true
}

/** What a key does in the tree; undefined: nothing. */
export type TreeMove = { readonly focus: number } | { readonly collapse: number; readonly on: boolean }

export function treeKey(key: string, rows: readonly Row[], at: number): TreeMove | undefined {
  const row = rows[at]
  if (row === undefined) return undefined
  const { id } = row.mailbox
  const focusOn = (index: number): TreeMove | undefined => {
    const to = rows[Math.max(0, Math.min(rows.length - 1, index))]
    return to === undefined || to === row ? undefined : { focus: to.mailbox.id }
  }
  if (key === 'ArrowDown') return focusOn(at + 1)
  if (key === 'ArrowUp') return focusOn(at - 1)
  if (key === 'Home') return focusOn(0)
  if (key === 'End') return focusOn(rows.length - 1)
  if (key === 'ArrowRight') {
    if (row.collapsed) return { collapse: id, on: false }
    return row.hasChildren ? focusOn(at + 1) : undefined
  }
  if (key === 'ArrowLeft') {
    if (row.hasChildren && !row.collapsed) return { collapse: id, on: true }
    return row.parent === undefined ? undefined : { focus: row.parent }
  }
  return undefined
}
