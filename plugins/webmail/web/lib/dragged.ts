// What the list gives to drag: a JSON list of [mailbox id, message id].

export const DRAGGED = 'application/vnd.mox.messages'

/** Ids of the messages that are dragged; none when it is something else. */
export function draggedIds(data: string): number[] {
  try {
    const list: unknown = JSON.parse(data)
    if (!Array.isArray(list)) return []
    return list.map(e => (Array.isArray(e) ? e[1] : undefined)).filter(id => Number.isSafeInteger(id) && id > 0)
  } catch {
    return []
  }
}
