// A browser makes six connections to a server over HTTP/1.1, for all of its windows together, and each window of the webmail holds
// one for as long as it is open: the seventh would wait for ever. So the windows that were used last keep theirs, and others pause
// until they are used again. Over HTTP/2 all keep theirs.

/** Windows that keep their connection; two more are left for what is asked for meanwhile. */
const MOST = 4
/** Milliseconds in which the others answer. */
const ANSWER_MS = 100

type Message =
  /** A window that is used now counts the others. */
  | { readonly kind: 'count'; readonly from: number }
  | { readonly kind: 'here'; readonly to: number; readonly from: number; readonly used: number }
  | { readonly kind: 'pause'; readonly to: number }

/** `pause` ends the connection of this window. Returns what is to be called when the window is used. */
export function shareConnections(connected: () => boolean, pause: () => void): () => void {
  const channel = new BroadcastChannel('webmail-windows')
  const send = (message: Message): void => channel.postMessage(message)
  const own = Math.random()
  let used = 0
  let others: { readonly from: number; readonly used: number }[] = []
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'count') {
      if (connected()) send({ kind: 'here', to: data.from, from: own, used })
    } else if (data.to !== own) return
    else if (data.kind === 'here') others.push(data)
    else if (isHttp1()) pause()
  })
  return () => {
    used = Date.now()
    others = []
    send({ kind: 'count', from: own })
    setTimeout(() => {
      others.sort((a, b) => b.used - a.used)
      for (const { from } of others.slice(MOST - 1)) send({ kind: 'pause', to: from })
    }, ANSWER_MS)
  }
}

/** What a page was loaded by is not known when it came from the cache; its calls did not. */
function isHttp1(): boolean {
  const entries = ['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type))
  return (entries as PerformanceResourceTiming[]).some(({ nextHopProtocol }) => nextHopProtocol === 'http/1.1')
}
